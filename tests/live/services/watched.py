"""Services to watch live, chosen by name: blocked, busy, leaking or idle.

Arguments: the descriptor to report on, and the name. A line on its standard input is a command to become; at the end of its
standard input it ends.
"""
import asyncio
import json
import os
import sys
import threading
import time

kept = []


def keep(coroutine):
    kept.append(asyncio.ensure_future(coroutine))


def ready():
    os.write(int(sys.argv[1]), (json.dumps({"time": time.monotonic()}) + "\n").encode())


def fetch_rate():
    ready()
    time.sleep(100000)


async def handler():
    await asyncio.sleep(0)
    fetch_rate()


async def sleeper():
    await asyncio.sleep(100000)


async def idle():
    for _ in range(60):
        keep(sleeper())
    keep(asyncio.Event().wait())
    await asyncio.sleep(0)


async def blocked():
    await idle()
    asyncio.get_running_loop().call_later(0.01, print)  # is overdue as long as the loop is blocked
    keep(handler())


def count_up():
    return sum(range(20000))


async def spin():
    while True:
        count_up()
        await asyncio.sleep(0)


async def busy():
    for _ in range(5):
        keep(spin())


async def forgotten():
    await asyncio.sleep(100000)


async def leak():
    while True:
        keep(forgotten())
        await asyncio.sleep(0.01)


async def leaking():
    keep(leak())


async def parent():
    """Two workers of its own."""
    for _ in range(2):
        kept.append(await asyncio.create_subprocess_exec(sys.executable, __file__, sys.argv[1], "worker", stdin=asyncio.subprocess.PIPE,
                                                         pass_fds=[int(sys.argv[1])]))


async def worker():
    keep(sleeper())


async def main():
    await globals()[sys.argv[2]]()
    if sys.argv[2] != "blocked":
        ready()
    await asyncio.Event().wait()


def follow_input():
    for line in iter(sys.stdin.readline, ""):
        os.execvp(line.split()[0], line.split())
    os._exit(0)


threading.Thread(target=follow_input, daemon=True).start()
asyncio.run(main())
