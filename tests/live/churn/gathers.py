"""A storm of tasks: trees of gathers that are made, walked through and dropped as fast as the loop can.

Arguments: the descriptor to report on, trees. A task's name is "t<tree>.<generation>.<place>"; the node at a place
gathers its children, whose places are one digit longer; a leaf sleeps for a moment. A node that waits for its gather waits
for exactly those children that are pending.
"""
import asyncio
import json
import os
import random
import sys
import threading

DEPTH = 3
CHILDREN = 3


async def leaf(pause):
    await asyncio.sleep(pause)


async def node(name, depth, pauses):
    children = [asyncio.ensure_future(node(name + str(i), depth - 1, pauses) if depth > 1 else leaf(pauses.random() / 50))
                for i in range(CHILDREN)]
    for i, child in enumerate(children):
        child.set_name(name + str(i))
    await asyncio.gather(*children)


async def grow(number):
    pauses = random.Random(number)
    generation = 0
    while True:
        generation += 1
        task = asyncio.ensure_future(node("t{}.{}.".format(number, generation), DEPTH, pauses))
        task.set_name("t{}.{}.".format(number, generation))
        await task


async def main(out, trees):
    tasks = [asyncio.ensure_future(grow(number)) for number in range(trees)]
    for number, task in enumerate(tasks):
        task.set_name("g{}".format(number))
    await asyncio.sleep(0)
    os.write(out, (json.dumps({"trees": trees, "pid": os.getpid()}) + "\n").encode())
    await asyncio.gather(*tasks)


def exit_with_input():
    os.read(0, 1)
    os._exit(0)


threading.Thread(target=exit_with_input, daemon=True).start()
asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
