"""A loop that ran, was left with tasks in it and does not run now."""
import asyncio
import threading

import truth


async def leave():
    asyncio.ensure_future(asyncio.sleep(100000))
    await asyncio.sleep(0)


def main():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    truth.ready(tasks=1, loops=1)
    threading.Event().wait()
    loop.close()


truth.watch()
main()
