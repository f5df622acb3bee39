"""How a service says that it is ready and, asked by a byte on its standard input, how far its work has gone.

The number of its own threads and tasks is not changed by that: the loop watches the input. The first argument is the pipe to
report on. Written for 3.8 and later.
"""
import asyncio
import json
import os
import sys

rounds = {}  # pieces of work done, by kind


def count(kind):
    rounds[kind] = rounds.get(kind, 0) + 1


def ready(**facts):
    loop = asyncio.get_running_loop()
    _say(facts)
    loop.add_reader(0, _answer, loop)


def _answer(loop):
    if not os.read(0, 1):
        loop.remove_reader(0)
        return
    _say(rounds)


def _say(value):
    os.write(int(sys.argv[1]), (json.dumps(value) + "\n").encode())


async def until(condition):
    """Lets others run until something holds. The test that waits for this program bounds it."""
    while not condition():
        await asyncio.sleep(0.005)


async def forever():
    await asyncio.Event().wait()
