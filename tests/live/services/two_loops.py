"""Two loops in threads that stall at one moment, each time that a line arrives on standard input: two_loops.py PIPE"""
import asyncio
import os
import sys
import threading
import time

barrier = threading.Barrier(2)
loops = []


def stall_first():
    barrier.wait()
    time.sleep(0.3)


def stall_second():
    barrier.wait()
    time.sleep(0.3)


async def keep_busy():
    loops.append(asyncio.get_running_loop())
    if len(loops) == 2:
        os.write(int(sys.argv[1]), b'{"loops": 2}\n')
    while True:
        await asyncio.sleep(0.005)


for _ in range(2):
    threading.Thread(target=asyncio.run, args=(keep_busy(),), daemon=True).start()
for _ in iter(sys.stdin.readline, ""):
    for loop, stall in zip(loops, (stall_first, stall_second)):
        loop.call_soon_threadsafe(stall)
os._exit(0)
