"""Behind one blocked step: ready callbacks, overdue timers, a cancelled timer, tasks not started, cancelled before they start."""
import asyncio
import time

import truth


async def later():
    pass


async def main():
    loop = asyncio.get_running_loop()
    waiting = [asyncio.ensure_future(asyncio.sleep(0)) for _ in range(5)]
    await asyncio.sleep(0)
    not_started = [asyncio.ensure_future(later()) for _ in range(10)]
    not_started[0].cancel()
    not_started[1].cancel()
    for number in range(40):
        loop.call_soon(print, number)
    for seconds in (5, 3, 100000, 1):
        loop.call_at(loop.time() - seconds if seconds < 100 else loop.time() + seconds, print)
    loop.call_at(loop.time() - 9, print).cancel()
    truth.ready(tasks=16)
    time.sleep(100000)
    del waiting


truth.watch()
asyncio.run(main())
