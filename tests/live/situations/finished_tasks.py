"""Tasks that returned, failed and were cancelled, and are still referenced."""
import asyncio
import sys

import truth

KEPT = 3 if sys.version_info < (3, 14) else 0  # later releases take a task off their lists when it ends


async def succeed():
    return 42


async def fail():
    raise ValueError("as intended")


async def main():
    tasks = [asyncio.ensure_future(each) for each in (succeed(), fail(), asyncio.sleep(100000), asyncio.sleep(100000))]
    tasks[2].add_done_callback(print)
    tasks[3].cancel()
    await asyncio.wait([tasks[0], tasks[1], tasks[3]])
    truth.ready(tasks=2, done=KEPT)
    await tasks[2]


truth.watch()
asyncio.run(main())
