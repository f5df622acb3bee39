"""The process that is looked at:  target.py PROBE_LIBRARY PROBE_FD READY_FD SITUATION N

PROBE_LIBRARY may be empty: no thread feels pauses then. Says "ready" (or, for http, its port) on READY_FD once its tasks are
where they shall be, and ends with its standard input. Runs on every Python from 3.7 on.
"""
import asyncio
import ctypes
import os
import random
import sys
import threading
import time


async def idle(count):
    """Tasks that sleep, each until a time of its own, two coroutines deep."""
    async def nap(seconds):
        await asyncio.sleep(seconds)

    async def sleeper(seconds):
        await nap(seconds)

    return [asyncio.ensure_future(sleeper(86400 + number / 1000)) for number in range(count)]


async def left_leaf(seconds):
    await asyncio.sleep(seconds)


async def left(seconds):
    await left_leaf(seconds)


async def right_leaf(seconds):
    await asyncio.sleep(seconds)


async def right(seconds):
    await right_leaf(seconds)


async def churner(seconds):
    while True:
        await left(seconds)
        await right(seconds)


async def churn(count):
    """Tasks that never rest: each awaits fresh short sleeps, in turns by two ways, so that a stack of two moments shows."""
    return [asyncio.ensure_future(churner(random.uniform(0.001, 0.02))) for _ in range(count)]


async def deep(count):
    """A chain of tasks, each of which awaits the next one."""
    async def link(following):
        await following

    tasks = [asyncio.ensure_future(asyncio.sleep(86400))]
    for _ in range(count - 1):
        tasks.append(asyncio.ensure_future(link(tasks[-1])))
    return tasks


async def wide(count):
    """Tasks that await one future together."""
    future = asyncio.get_event_loop().create_future()

    async def waiter():
        await future

    return [asyncio.ensure_future(waiter()) for _ in range(count)] + [future]


async def threads(count):
    """Threads that wait in C, below some Python frames, beside a loop with few tasks."""
    def descend(levels):
        if levels:
            descend(levels - 1)
        else:
            threading.Event().wait()

    for _ in range(count):
        threading.Thread(target=descend, args=(10,), daemon=True).start()
    return await idle(10)


async def http(count):
    """A web service with `count` background tasks. /count tells how many answers it gave, and when it was asked."""
    from aiohttp import web

    answered = 0

    async def tell_count(request):
        return web.json_response([answered, time.monotonic()])

    async def answer(request):
        nonlocal answered
        await asyncio.sleep(0.001)
        answered += 1
        return web.json_response({"path": request.path, "numbers": list(range(20))})

    application = web.Application()
    application.router.add_get("/", answer)
    application.router.add_get("/count", tell_count)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kept = await idle(count)
    return [runner.addresses[0][1], runner] + kept


async def stalled(count):
    """Like idle, until something blocks the loop for good."""
    kept = await idle(count)
    asyncio.get_event_loop().call_later(0.1, time.sleep, 86400)
    return kept


async def main(situation, count, ready):
    kept = await situation(count)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    os.write(ready, b"%d\n" % (kept[0] if isinstance(kept[0], int) else 0))
    await asyncio.get_event_loop().create_future()
    return kept


def end_with_input():
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    library, probe_fd, ready_fd, name, number = sys.argv[1:]
    if library and ctypes.CDLL(library).start_pause_probe(int(probe_fd)) != 0:
        sys.exit("the pause probe does not start")
    threading.Thread(target=end_with_input, daemon=True).start()
    asyncio.run(main({"idle": idle, "churn": churn, "deep": deep, "wide": wide, "threads": threads, "http": http, "stalled": stalled}[name], int(number), int(ready_fd)))
