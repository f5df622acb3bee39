"""A loop whose thread reads a file in a coroutine, while others wait. The file's path is the second argument."""
import asyncio
import json
import os
import sys
import threading


def say(out, value):
    os.write(out, (json.dumps(value) + "\n").encode())


def read_settings(path):
    with open(path, "rb", buffering=0) as file:
        return file.read(100)


async def main(out, path):
    tasks = [asyncio.ensure_future(asyncio.sleep(100000)) for _ in range(20)]
    await asyncio.sleep(0)
    say(out, {"reader": threading.get_ident()})
    say(out, {"read": read_settings(path).decode()})
    await asyncio.wait(tasks)


def exit_with_input():
    os.read(0, 1)
    os._exit(0)


threading.Thread(target=exit_with_input, daemon=True).start()
asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
