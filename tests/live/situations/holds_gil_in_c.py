"""A task calls a C function that sleeps without giving the interpreter lock away: nothing else can run."""
import asyncio
import ctypes
import os
import sys
import threading


async def main():
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    os.write(int(sys.argv[1]), b"{}\n")
    ctypes.PyDLL(None).sleep(100000)


asyncio.run(main())
