"""A plain callback, not a task, blocks the loop."""
import asyncio
import time

import truth


def callback():
    truth.ready(tasks=1)
    time.sleep(100000)


async def main():
    asyncio.get_running_loop().call_soon(callback)
    await asyncio.sleep(100000)


truth.watch()
asyncio.run(main())
