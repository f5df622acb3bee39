"""Tasks that walk through ever new await chains, several loops in threads of their own.

Arguments: the descriptor to report on, tasks of each loop, loops. A task's name says which way its chain leads: before
each walk the task renames itself "w<number>.<generation>.<path>", and each digit of the path names the kind of the next
link. So a task that is suspended outside of `worker` must show exactly the links of its name, down to a sleep of its own.
"""
import asyncio
import json
import os
import random
import sys
import threading
import types

DEPTH = 6


async def left(path, pause):
    await (KINDS[path[0]](path[1:], pause) if path else asyncio.sleep(pause))


async def right(path, pause):
    if path:
        await KINDS[path[0]](path[1:], pause)
    else:
        await asyncio.sleep(pause)


async def produce(path, pause):
    if path:
        yield await KINDS[path[0]](path[1:], pause)
    else:
        yield await asyncio.sleep(pause)


async def through_loop(path, pause):
    async for _ in produce(path, pause):
        pass


@types.coroutine
def old_style(path, pause):
    if path:
        return (yield from KINDS[path[0]](path[1:], pause))
    return (yield from asyncio.sleep(pause).__await__())


KINDS = {"l": left, "r": right, "g": through_loop, "o": old_style}


async def worker(number, seed):
    generator = random.Random(seed)
    task = asyncio.current_task()
    generation = 0
    while True:
        generation += 1
        path = "".join(generator.choice("lrgo") for _ in range(1 + generator.randrange(DEPTH)))
        task.set_name("w{}.{}.{}".format(number, generation, path))
        await KINDS[path[0]](path[1:], generator.random() / 50)


async def main(loop_number, count, ready):
    first = loop_number * count
    tasks = [asyncio.ensure_future(worker(first + i, first + i)) for i in range(count)]
    await asyncio.sleep(0)
    ready()
    await asyncio.gather(*tasks)


def exit_with_input():
    os.read(0, 1)
    os._exit(0)


def run():
    out, count, loops = map(int, sys.argv[1:4])
    left_to_start = [loops]
    lock = threading.Lock()

    def ready():
        with lock:
            left_to_start[0] -= 1
            if left_to_start[0] == 0:
                os.write(out, (json.dumps({"workers": count * loops, "pid": os.getpid()}) + "\n").encode())

    threading.Thread(target=exit_with_input, daemon=True).start()
    for number in range(1, loops):
        threading.Thread(target=asyncio.run, args=(main(number, count, ready),), daemon=True).start()
    asyncio.run(main(0, count, ready))


run()
