"""Forty layers of two tasks, each of which waits for both tasks of the next layer: 2**40 paths."""
import asyncio

import truth


async def layer(below):
    await asyncio.wait(below)


async def main():
    below = [asyncio.ensure_future(asyncio.sleep(100000))]
    for _ in range(40):
        below = [asyncio.ensure_future(layer(below)) for _ in range(2)]
    truth.ready(tasks=82)
    await asyncio.gather(*below)


truth.watch()
asyncio.run(main())
