"""A thousand tasks, each of which awaits the next one."""
import asyncio

import truth

LENGTH = 1000


async def link(following):
    await following


async def main():
    task = asyncio.ensure_future(asyncio.sleep(100000))
    for _ in range(LENGTH - 2):
        task = asyncio.ensure_future(link(task))
    truth.ready(tasks=LENGTH)
    await task


truth.watch()
asyncio.run(main())
