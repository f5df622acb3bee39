"""Waits for sockets: a server, stream readers at both ends, and the loop's own socket calls."""
import asyncio
import socket

import truth


async def serve(reader, writer):
    await reader.readline()


async def read(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readexactly(10)


async def main():
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    left, right = socket.socketpair()
    idle = socket.socket()
    idle.bind(("127.0.0.1", 0))
    idle.listen()
    left.setblocking(False)
    idle.setblocking(False)
    tasks = [asyncio.ensure_future(each) for each in
             [read(port), read(port), loop.sock_recv(left, 1), loop.sock_accept(idle)]]
    truth.ready(tasks=7)
    await asyncio.gather(*tasks)
    del right


truth.watch()
asyncio.run(main())
