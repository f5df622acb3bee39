"""Blocks its loop in recv() on a TCP connection to itself, and says on which."""
import asyncio
import socket

import truth


async def main():
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    ends = ["{}:{}".format(*end) for end in (client.getsockname(), client.getpeername())]
    truth.ready(tasks=1, descriptor=client.fileno(), ends=ends)
    client.recv(1)


truth.watch()
asyncio.run(main())
