"""A web service in good health, chosen by name: healthy_web.py PIPE NAME

Those that serve report their port, so that others can connect; the load comes from outside.
"""
import asyncio
import sys
import time

import progress

QUIET_SECONDS = 100000
SUBSCRIBERS = 20
kept = []


def keep(coroutine):
    kept.append(asyncio.ensure_future(coroutine))


async def aiohttp_server():
    from aiohttp import web

    async def item(request):
        await asyncio.sleep(0.02)
        progress.count("item")
        return web.json_response({"path": request.path, "values": list(range(50))})

    application = web.Application()
    application.router.add_get("/item", item)
    runner = web.AppRunner(application, keepalive_timeout=QUIET_SECONDS)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    progress.ready(port=site._server.sockets[0].getsockname()[1])


async def aiohttp_client():
    """Long polls over one session: on topics with news, and on one that stays quiet."""
    import aiohttp
    from aiohttp import web

    async def topic(request):
        news = request.match_info["name"] == "news"
        await asyncio.sleep(0.01 if news else QUIET_SECONDS)
        return web.json_response({})

    async def subscriber(session, url):
        while True:
            async with session.get(url) as response:
                await response.json()
            progress.count("poll")

    application = web.Application()
    application.router.add_get("/topic/{name}", topic)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = "http://127.0.0.1:{}/topic/".format(site._server.sockets[0].getsockname()[1])
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2 * QUIET_SECONDS))
    kept.append(session)
    for number in range(SUBSCRIBERS):
        keep(subscriber(session, url + ("news" if number % 2 else "quiet")))
    await progress.until(lambda: progress.rounds.get("poll", 0) > SUBSCRIBERS)
    progress.ready()


async def aiohttp_timeouts():
    """Requests that were given up in time; the tasks went on with others."""
    import aiohttp
    from aiohttp import web

    timeouts = []

    async def answer(request):
        await asyncio.sleep(QUIET_SECONDS if request.path == "/slow" else 0.01)
        return web.json_response({})

    async def ask(session, url):
        for _ in range(2):
            try:
                await session.get(url + "slow", timeout=aiohttp.ClientTimeout(total=0.03))
            except asyncio.TimeoutError:
                timeouts.append(url)
        while True:
            async with session.get(url + "quick") as response:
                await response.read()
            progress.count("answer")

    application = web.Application()
    application.router.add_get("/{name}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    session = aiohttp.ClientSession()
    kept.append(session)
    for _ in range(SUBSCRIBERS):
        keep(ask(session, "http://127.0.0.1:{}/".format(site._server.sockets[0].getsockname()[1])))
    await progress.until(lambda: len(timeouts) == 2 * SUBSCRIBERS and progress.rounds.get("answer", 0) > SUBSCRIBERS)
    progress.ready()


async def aiohttp_resolving():
    """Names are looked up by a service that takes its time; no connection of the pool is taken."""
    import aiohttp
    from aiohttp.abc import AbstractResolver

    asked = []

    class Resolver(AbstractResolver):
        async def resolve(self, host, port=0, family=0):
            asked.append(host)
            await asyncio.sleep(QUIET_SECONDS)

        async def close(self):
            pass

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Resolver()))
    kept.append(session)
    for number in range(3):
        keep(session.get("http://name{}.invalid/".format(number)))
    await progress.until(lambda: len(asked) == 3)
    progress.ready()


async def fastapi():
    """Asynchronous endpoints, and synchronous ones in anyio's threads, of which there are enough."""
    import uvicorn
    from fastapi import FastAPI

    application = FastAPI()

    @application.get("/item")
    async def item():
        await asyncio.sleep(0.02)
        progress.count("item")
        return {"values": list(range(50))}

    @application.get("/report")
    def report():
        time.sleep(0.02)
        progress.count("report")
        return {"values": list(range(50))}

    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_level="critical", timeout_keep_alive=QUIET_SECONDS))
    server.install_signal_handlers = lambda: None
    keep(server.serve())
    await progress.until(lambda: server.started)
    progress.ready(port=server.servers[0].sockets[0].getsockname()[1])


async def echo(reader, writer):
    try:
        line = await reader.readline()
        while line:
            writer.write(line)
            await writer.drain()
            progress.count("line")
            line = await reader.readline()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def echo_server():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    kept.append(server)
    progress.ready(port=server.sockets[0].getsockname()[1])


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)
        progress.count("line")


async def echo_protocol():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    kept.append(server)
    keep(server.serve_forever())
    progress.ready(port=server.sockets[0].getsockname()[1])


async def websockets():
    """A chat: most members listen, some speak."""
    import websockets

    async def serve(connection):
        async for message in connection:
            await connection.send(message)

    async def listen(connection):
        async for _ in connection:
            pass

    async def speak(connection):
        while True:
            await connection.send("hello")
            await connection.recv()
            progress.count("message")
            await asyncio.sleep(0.01)

    server = await websockets.serve(serve, "127.0.0.1", 0)
    kept.append(server)
    port = list(server.sockets)[0].getsockname()[1]
    for number in range(SUBSCRIBERS):
        connection = await websockets.connect("ws://127.0.0.1:{}/".format(port))
        keep(speak(connection) if number % 4 == 0 else listen(connection))
    await progress.until(lambda: progress.rounds.get("message", 0) > SUBSCRIBERS)
    progress.ready()


async def main(name):
    await globals()[name]()
    await progress.forever()


if sys.argv[2].startswith("uvloop_"):
    import uvloop

    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main(sys.argv[2][len("uvloop_"):]))
else:
    asyncio.run(main(sys.argv[2]))
