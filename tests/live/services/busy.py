"""A process that never rests: worker threads and an event loop, each counting its rounds in shared memory.

Arguments: the descriptor to report on, and a file with one 8-byte counter for each worker and one for the loop.
"""
import asyncio
import mmap
import os
import sys
import threading


def count(counters, place):
    while True:
        counters[place] += 1


async def churn(counters, place):
    while True:
        await asyncio.gather(*[asyncio.sleep(0) for _ in range(20)])
        counters[place] += 1


def exit_with_input():
    os.read(0, 1)
    os._exit(0)


def main():
    with open(sys.argv[2], "r+b") as file:
        counters = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    for place in range(len(counters) - 1):
        threading.Thread(target=count, args=(counters, place), daemon=True).start()
    threading.Thread(target=exit_with_input, daemon=True).start()
    os.write(int(sys.argv[1]), b'{"busy": true}\n')
    asyncio.run(churn(counters, len(counters) - 1))


main()
