"""A fork of a process with threads: in the child, which runs a loop, a lock is locked for ever. Says the child's process id.

Both processes end with its input, and the child with its parent, however that ends.
"""
import asyncio
import ctypes
import json
import os
import signal
import sys
import threading


async def main(lock, begins):
    os.write(begins, b"b")
    with lock:  # here
        pass


def keep(lock, is_kept):
    with lock:
        is_kept.set()
        threading.Event().wait()


lock, is_kept = threading.Lock(), threading.Event()
threading.Thread(target=keep, args=(lock, is_kept), daemon=True).start()
is_kept.wait()
reading, writing = os.pipe()
PR_SET_PDEATHSIG = 1
prctl = ctypes.CDLL(None).prctl
child = os.fork()
if child == 0:
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    asyncio.run(main(lock, writing))
os.read(reading, 1)
os.write(int(sys.argv[1]), (json.dumps({"child": child}) + "\n").encode())
os.read(0, 1)
os.kill(child, signal.SIGKILL)
os._exit(0)
