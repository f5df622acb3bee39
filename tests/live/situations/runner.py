"""A runner that was used before, with a loop and a context of its own, and one that is open and idle."""
# needs: 3.11
import asyncio

import truth


async def work(other):
    task = asyncio.create_task(asyncio.sleep(100000), name="asleep")
    truth.ready(tasks=2, loops=2)
    await task
    del other


truth.watch()
with asyncio.Runner() as idle, asyncio.Runner() as runner:
    idle.get_loop()
    runner.run(asyncio.sleep(0))
    runner.run(work(idle))
