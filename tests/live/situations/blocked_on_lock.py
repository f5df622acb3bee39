"""The loop's thread waits for a lock that another thread holds, which in turn waits for the loop."""
import asyncio
import threading

import truth

LOCK = threading.Lock()


async def never():
    await asyncio.Event().wait()


def worker(loop, holds):
    with LOCK:
        future = asyncio.run_coroutine_threadsafe(never(), loop)
        holds.set()
        future.result()


async def main():
    holds = threading.Event()
    threading.Thread(target=worker, args=(asyncio.get_running_loop(), holds), daemon=True).start()
    holds.wait()
    truth.ready(tasks=1)
    with LOCK:
        pass


truth.watch()
asyncio.run(main())
