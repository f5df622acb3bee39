"""A task that was cancelled twice, and waits on all the same."""
import asyncio

import truth


async def stubborn():
    for _ in range(2):
        try:
            await asyncio.sleep(100000)
        except asyncio.CancelledError:
            pass
    await asyncio.sleep(200000)


async def main():
    task = asyncio.ensure_future(stubborn())
    for _ in range(2):
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
    truth.ready(tasks=2)
    await task


truth.watch()
asyncio.run(main())
