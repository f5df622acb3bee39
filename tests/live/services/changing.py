"""A service that changes when it is told to: a line on standard input is one step. It says on the pipe what each step did."""
import asyncio
import json
import os
import sys

OUT = int(sys.argv[1])


def say(**what):
    os.write(OUT, json.dumps(what).encode() + b"\n")


def ids(tasks):
    return sorted(hex(id(task)) for task in tasks)


async def stays(gate):
    await gate.wait()


async def moves(gate, end):
    await gate.wait()
    await end.wait()


async def finishes(gate):
    await gate.wait()


async def newcomer(end):
    await end.wait()


async def joins(queue):
    await queue.join()


async def main():
    loop = asyncio.get_event_loop()
    steps = asyncio.Queue()
    loop.add_reader(0, lambda: steps.put_nowait(os.read(0, 1)))
    never, gate, queue = asyncio.Event(), asyncio.Event(), asyncio.Queue()
    queue.put_nowait(0)
    start = asyncio.ensure_future
    groups = {"stay": [start(stays(never)) for _ in range(20)], "move": [start(moves(gate, never)) for _ in range(7)],
              "done": [start(finishes(gate)) for _ in range(4)], "join": [start(joins(queue))]}
    leaving = [start(finishes(gate)) for _ in range(3)]
    gone = ids(leaving)
    await asyncio.sleep(0)
    say(ready=True, **{name: ids(tasks) for name, tasks in groups.items()})
    while await steps.get():
        gate.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        leaving.clear()
        groups["new"] = [start(newcomer(never)) for _ in range(9)]
        for number in range(50):
            queue.put_nowait(number)
        await asyncio.sleep(0)
        say(gone=gone, **{name: ids(tasks) for name, tasks in groups.items()})


asyncio.run(main())
