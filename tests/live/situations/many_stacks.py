"""Ten thousand tasks, or as many as the second argument says, in three hundred stacks of different depth."""
import asyncio
import sys

import truth

COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
STACKS = 300


async def descend(door, depth):
    if depth == 0:
        await door.wait()
    else:
        await descend(door, depth - 1)


async def main():
    door = asyncio.Event()
    few = COUNT // (2 * STACKS)
    tasks = []
    for stack in range(STACKS):
        step = make_step(stack)
        tasks += [asyncio.ensure_future(descend(door, stack % 80) if stack % 2 else step(door)) for _ in range(few)]
    for step, size in (largest, COUNT // 4), (second, COUNT // 8), (third, COUNT // 10):
        tasks += [asyncio.ensure_future(step(door)) for _ in range(size)]
    truth.ready(tasks=1 + len(tasks))
    await door.wait()


def make_step(number):
    made = {}
    exec("async def step{}(door):\n    await door.wait()\n".format(number), made)
    return made["step{}".format(number)]


async def largest(door):
    await door.wait()


async def second(door):
    await door.wait()


async def third(door):
    await door.wait()


truth.watch()
asyncio.run(main())
