"""Ten thousand tasks, or as many as the second argument says, that all await the same future, and a few that await one task."""
import asyncio
import sys

import truth

COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 10000


async def waiter(future):
    await future


async def main():
    future = asyncio.get_running_loop().create_future()
    shared = asyncio.ensure_future(asyncio.sleep(100000))
    tasks = [asyncio.ensure_future(waiter(future)) for _ in range(COUNT)]
    few = [asyncio.ensure_future(waiter(shared)) for _ in range(5)]
    truth.ready(tasks=COUNT + 7)
    await few[0]
    del tasks


truth.watch()
asyncio.run(main())
