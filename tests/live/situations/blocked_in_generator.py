"""A blocking call inside an asynchronous generator that a comprehension draws from, and inside a plain generator."""
import asyncio
import threading

import truth


def plain():
    yield threading.Event().wait()


async def produce():
    yield 1
    for each in plain():
        yield each


async def main():
    asyncio.ensure_future(asyncio.sleep(100000))
    await asyncio.sleep(0)
    truth.ready(tasks=2)
    return [each async for each in produce()]


truth.watch()
asyncio.run(main())
