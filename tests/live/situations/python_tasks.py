"""Tasks and futures of the pure Python implementation, which some services swap in."""
import asyncio

import truth


async def waits_for(future):
    await future


async def main():
    loop = asyncio.get_running_loop()
    future = asyncio.futures._PyFuture(loop=loop)
    tasks = [asyncio.tasks._PyTask(waits_for(future), loop=loop) for _ in range(3)]
    truth.ready(tasks=4)
    await asyncio.wait(tasks)


truth.watch()
asyncio.run(main())
