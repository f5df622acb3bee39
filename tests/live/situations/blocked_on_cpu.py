"""A coroutine that calculates for ever and never lets the loop go on."""
import asyncio
import os

import truth


def spin():
    counter = 0
    while True: counter += 1  # noqa: E701  one line, so that the line is the same whenever one looks


async def main():
    asyncio.get_running_loop().call_later(100000, print)
    truth.ready(tasks=1, spinning=[os.getpid()])
    spin()


truth.watch()
asyncio.run(main())
