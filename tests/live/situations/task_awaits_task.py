"""A chain of tasks, and fifty tasks that wait for one."""
import asyncio

import truth


async def follow(task):
    await task


async def main():
    task = asyncio.ensure_future(asyncio.sleep(100000))
    for _ in range(20):
        task = asyncio.ensure_future(follow(task))
    crowd = [asyncio.ensure_future(follow(task)) for _ in range(50)]
    truth.ready(tasks=72)
    await asyncio.wait(crowd)


truth.watch()
asyncio.run(main())
