"""Eager tasks: some that suspended, one that blocks in its first, eager step inside another task's step."""
# needs: 3.12
import asyncio
import time

import truth


async def suspends():
    await asyncio.sleep(100000)


async def blocks():
    truth.ready(tasks=5)
    time.sleep(100000)


async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    tasks = [asyncio.create_task(suspends()) for _ in range(3)]
    tasks.append(asyncio.create_task(blocks()))


truth.watch()
asyncio.run(main())
