"""A loop that never blocks for long and is late all the same: hundreds of tasks run one after the other, before a timer's turn comes.

late.py PIPE
"""
import asyncio
import os
import sys
import threading
import time


async def work():
    while True:
        time.sleep(0.002)
        await asyncio.sleep(0)


async def main():
    tasks = [asyncio.ensure_future(work()) for _ in range(300)]
    asyncio.get_running_loop().call_later(0.001, tick)
    os.write(int(sys.argv[1]), b'{"late": true}\n')
    await asyncio.wait(tasks)


def tick():
    asyncio.get_running_loop().call_later(0.001, tick)


def end_with_input():
    os.read(0, 1)
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(main())
