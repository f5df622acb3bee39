"""Two hundred tasks asleep, each until a moment of its own."""
import asyncio

import truth


async def main():
    tasks = [asyncio.ensure_future(asyncio.sleep(100000 + 7 * i)) for i in range(200)]
    truth.ready(tasks=201)
    await asyncio.wait(tasks)


truth.watch()
asyncio.run(main())
