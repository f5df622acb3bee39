"""Connects with asyncpg, whose protocol is written in Cython, to a server that accepts and never answers."""
# package: asyncpg
import asyncio
import socket

import asyncpg
import truth


async def connect(port):
    await asyncpg.connect(host="127.0.0.1", port=port, user="nobody", database="none", timeout=100000, ssl=False)


async def answers(server, tasks):
    """Returns when each connection has said its first words, after which the client only waits."""
    loop = asyncio.get_running_loop()
    kept = []
    for _ in tasks:
        kept.append((await loop.sock_accept(server))[0])
        await loop.sock_recv(kept[-1], 1000)
    return kept


async def main():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    server.setblocking(False)
    tasks = [asyncio.ensure_future(connect(server.getsockname()[1])) for _ in range(3)]
    kept = await answers(server, tasks)
    truth.ready(at_least=4)
    await asyncio.wait(tasks)
    del kept


truth.watch()
asyncio.run(main())
