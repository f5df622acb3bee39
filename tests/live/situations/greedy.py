"""A thread that computes and keeps the interpreter lock from the loop's thread. Says so before, since afterwards nobody can.

Ends by force only.
"""
import asyncio
import os
import sys
import threading


def compute():
    while True:  # here
        pass


async def main():
    asyncio.get_running_loop().call_later(0.05, print)
    sys.setswitchinterval(100000)
    os.write(int(sys.argv[1]), b"{}\n")
    threading.Thread(target=compute, name="greedy", daemon=True).start()
    await asyncio.sleep(0.1)


asyncio.run(main())
