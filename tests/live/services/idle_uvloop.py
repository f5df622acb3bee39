"""A loop of uvloop that waits in its selector."""
import asyncio

import truth
import uvloop


async def main():
    truth.ready(tasks=1)
    await asyncio.sleep(100000)


uvloop.install()
truth.watch()
asyncio.run(main())
