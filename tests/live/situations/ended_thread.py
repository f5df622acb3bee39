"""A thread ran a loop, left tasks in it and ended; the loop and its tasks are still referenced."""
import asyncio
import threading

import truth

KEPT = []


async def leave():
    KEPT.extend(asyncio.ensure_future(asyncio.sleep(100000)) for _ in range(3))
    await asyncio.sleep(0)


def run():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    KEPT.append(loop)


async def main():
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    truth.ready(tasks=4, loops=2)
    await asyncio.Event().wait()


truth.watch()
asyncio.run(main())
