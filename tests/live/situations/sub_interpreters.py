"""Two sub-interpreters, each with a loop and tasks of its own, beside the loop of the main one."""
# needs: 3.12
import asyncio
import json
import os
import threading

import truth

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

# What it knows of itself goes through a pipe: nothing else is shared.
PROGRAM = """
import asyncio, json, os, threading

async def leaf(number):
    await asyncio.sleep(100000)

async def main():
    tasks = [asyncio.create_task(leaf(number)) for number in range({count})]
    await asyncio.sleep(0)
    os.write({pipe}, (json.dumps([hex(id(task)) for task in tasks]) + "\\n").encode())
    await asyncio.gather(*tasks)

asyncio.run(main())
"""


def run(count, pipe):
    interpreters.run_string(interpreters.create(), PROGRAM.format(count=count, pipe=pipe))


async def main():
    reading, writing = os.pipe()
    hidden = []
    with open(reading) as lines:
        for count in (2, 3):  # one after the other: 3.12.1 crashes now and then when two of them import at once
            threading.Thread(target=run, args=(count, writing), daemon=True).start()
            hidden += json.loads(lines.readline())
    truth.ready(hidden_tasks=sorted(hidden))
    await asyncio.Event().wait()


truth.watch()
asyncio.run(main())
