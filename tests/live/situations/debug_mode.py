"""A loop in debug mode, which keeps where tasks and handles were made."""
import asyncio

import truth


async def main():
    tasks = [asyncio.ensure_future(asyncio.sleep(100000)) for _ in range(3)]
    truth.ready(tasks=4)
    await asyncio.gather(*tasks)


truth.watch()
asyncio.run(main(), debug=True)
