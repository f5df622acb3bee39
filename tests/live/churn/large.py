"""A hundred thousand tasks, each with a small chain of its own: too much to copy in a moment."""
import asyncio
import json
import os
import sys
import threading


async def inner(future):
    await future


async def outer(future):
    await inner(future)


async def main(out, count):
    loop = asyncio.get_running_loop()
    tasks = [asyncio.ensure_future(outer(loop.create_future())) for _ in range(count)]
    await asyncio.sleep(0)
    os.write(out, (json.dumps({"tasks": count + 1, "pid": os.getpid()}) + "\n").encode())
    await asyncio.wait(tasks)


def exit_with_input():
    os.read(0, 1)
    os._exit(0)


threading.Thread(target=exit_with_input, daemon=True).start()
asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
