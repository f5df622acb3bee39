"""A small aiohttp service with handlers that wait well and two that block the loop.

Arguments: the descriptor to report on, and the port of a server that accepts and never answers. Reports one JSON line
with its own port, and one right before a handler blocks.
"""
import asyncio
import json
import os
import sys
import time

import requests
from aiohttp import web

LOCK = asyncio.Lock()
ARRIVED = [0]
TICK_SECONDS = 0.02
TICKS_AHEAD = 50


def report(**values):
    os.write(int(sys.argv[1]), (json.dumps(values) + "\n").encode())


async def wait_for_upstream(request):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    return web.Response(body=await reader.read())


async def wait_for_lock(request):
    async with LOCK:
        await asyncio.Event().wait()


async def wait_for_queue(request):
    return web.Response(text=await asyncio.Queue().get())


async def wait_for_timer(request):
    await asyncio.sleep(100000)


def load_report():
    return requests.get("http://127.0.0.1:{}/report".format(sys.argv[2]))


async def block_in_requests(request):
    report(blocking="requests")
    return web.Response(text=load_report().text)


async def block_in_sleep(request):
    report(blocking="sleep")
    time.sleep(100000)


def counted(handler):
    """Reports how many requests have reached a handler."""
    async def count_and_handle(request):
        ARRIVED[0] += 1
        report(arrived=ARRIVED[0])
        return await handler(request)
    return count_and_handle


def tick(loop):
    """Called all the time, so that a blocked loop is soon provably late. So many timers are ahead that a turn of the loop that
    begins late leaves some of them, too."""
    loop.call_later(TICKS_AHEAD * TICK_SECONDS, tick, loop)


async def main():
    app = web.Application()
    for handler in (wait_for_upstream, wait_for_lock, wait_for_queue, wait_for_timer):
        app.router.add_get("/" + handler.__name__, counted(handler))
    for handler in (block_in_requests, block_in_sleep):
        app.router.add_get("/" + handler.__name__, handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    for ahead in range(TICKS_AHEAD):
        asyncio.get_running_loop().call_later(ahead * TICK_SECONDS, tick, asyncio.get_running_loop())
    report(port=site._server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


asyncio.run(main())
