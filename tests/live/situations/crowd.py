"""Ten thousand tasks that all wait in the same place."""
import asyncio

import truth


async def visitor(door):
    await door.wait()


async def main():
    door = asyncio.Event()
    tasks = [asyncio.ensure_future(visitor(door)) for _ in range(10000)]
    truth.ready(tasks=10001)
    await door.wait()
    del tasks


truth.watch()
asyncio.run(main())
