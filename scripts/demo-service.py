"""The parts of scripts/demo: a service, its clients, and an upstream server that accepts and never answers.

Each part writes to its standard output, one line at a time, what the demo waits for:

    upstream          its port
    service PORT      its own port; later, "blocking" right before a handler blocks the loop
    clients PORT N    "in flight" when N requests have reached their handlers
"""
import asyncio
import os
import socket
import sys
import threading


def say(line):
    os.write(1, "{}\n".format(line).encode())


def upstream():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1024)
    say(server.getsockname()[1])
    threading.Event().wait()


# The service ----------------------------------------------------------------------------------------------------------


class Shop:
    """An ordinary small service, with one colleague's handler in it."""

    def __init__(self, upstream_port):
        self.upstream_port = upstream_port
        self.upstream = "http://127.0.0.1:{}".format(upstream_port)
        self.checkout_lock = asyncio.Lock()
        self.orders = asyncio.Queue()
        self.database = asyncio.Semaphore(5)
        self.arrived = 0

    async def product(self, request):
        self.arrived += 1
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        writer.write(b"GET /product HTTP/1.0\r\n\r\n")
        return web.Response(body=await reader.read())

    async def checkout(self, request):
        self.arrived += 1
        async with self.checkout_lock:
            await self.charge()

    async def charge(self):
        async with aiohttp.ClientSession() as session:
            async with session.post(self.upstream + "/charge") as answer:
                return await answer.json()

    async def next_order(self, request):
        self.arrived += 1
        return web.Response(text=await self.orders.get())

    async def history(self, request):
        self.arrived += 1
        async with self.database:
            await asyncio.sleep(3600)

    async def count(self, request):
        return web.Response(text=str(self.arrived))

    async def exchange_rate(self, request):
        say("blocking")
        rate = fetch_rate(self.upstream, request.query["currency"])
        return web.json_response(rate)


def fetch_rate(upstream, currency):
    return requests.get(upstream + "/rates/" + currency).json()


async def heartbeat():
    while True:
        await asyncio.sleep(0.5)


async def serve(upstream_port):
    shop = Shop(upstream_port)
    app = web.Application()
    for handler in (shop.product, shop.checkout, shop.next_order, shop.history, shop.count, shop.exchange_rate):
        app.router.add_get("/" + handler.__name__, handler)
    runner = web.AppRunner(app)
    await runner.setup()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        await web.SockSite(runner, listener, backlog=1024).start()
        beats = asyncio.create_task(heartbeat(), name="heartbeat")
        say(listener.getsockname()[1])
        await beats


# The clients ----------------------------------------------------------------------------------------------------------

PATHS = ("product", "checkout", "next_order", "history")


async def ask(session, url):
    async with session.get(url) as answer:
        return await answer.text()


async def hold_requests(port, number):
    service = "http://127.0.0.1:{}/".format(port)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        held = [asyncio.create_task(ask(session, service + PATHS[i % len(PATHS)])) for i in range(number)]
        while int(await ask(session, service + "count")) < number:
            await asyncio.sleep(0.01)
        say("in flight")
        await asyncio.gather(*held, ask(session, service + "exchange_rate?currency=EUR"))


if sys.argv[1] == "upstream":
    upstream()
else:
    import aiohttp
    import requests
    from aiohttp import web

    if sys.argv[1] == "service":
        asyncio.run(serve(int(sys.argv[2])))
    else:
        asyncio.run(hold_requests(int(sys.argv[2]), int(sys.argv[3])))
