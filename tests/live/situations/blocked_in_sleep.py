"""A coroutine three levels deep calls time.sleep, while others wait."""
import asyncio
import time

import truth


def slow(seconds):
    time.sleep(seconds)


async def inner():
    await asyncio.sleep(0)
    truth.ready(tasks=7, blocked=True)
    slow(100000)


async def middle():
    await inner()


async def main():
    tasks = [asyncio.ensure_future(asyncio.sleep(100000)) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.ensure_future(middle())
    del tasks


truth.watch()
asyncio.run(main())
