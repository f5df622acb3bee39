"""One of many targets:  small_service.py

A loop with ten tasks, each of which does a little every second. Says "ready" on its standard output and ends with its standard input.
"""
import asyncio
import os
import random
import threading


async def worker():
    while True:
        await asyncio.sleep(random.uniform(0.5, 1.5))


async def main():
    kept = [asyncio.ensure_future(worker()) for _ in range(10)]
    await asyncio.sleep(0)
    os.write(1, b"ready\n")
    await asyncio.wait(kept)


def end_with_input():
    os.read(0, 1)
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(main())
