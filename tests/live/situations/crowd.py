"""Ten thousand tasks, or as many as the second argument says, that all wait in the same place."""
import asyncio
import sys

import truth

COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 10000


async def visitor(door):
    await door.wait()


async def main():
    door = asyncio.Event()
    tasks = [asyncio.ensure_future(visitor(door)) for _ in range(COUNT)]
    truth.ready(tasks=1 + COUNT)
    await door.wait()
    del tasks


truth.watch()
asyncio.run(main())
