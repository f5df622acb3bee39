"""A server on uvloop whose loop is busy nearly all the time, with one short callback after the other, none of which is a task's or comes
from a queue: protocol_server.py PIPE. A thread of its own is the client."""
import asyncio
import os
import socket
import sys
import threading
import time

import uvloop


class Server(asyncio.Protocol):
    def data_received(self, data):
        until = time.monotonic() + 0.002
        while time.monotonic() < until:
            pass


def flood(port):
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
    while True:
        for each in connections:
            each.sendall(b"x" * 100)
        time.sleep(0.006)


async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    threading.Thread(target=flood, args=(server.sockets[0].getsockname()[1],), daemon=True).start()
    os.write(int(sys.argv[1]), b'{"serves": true}\n')
    asyncio.get_running_loop().add_reader(0, os._exit, 0)
    await asyncio.Event().wait()


uvloop.install()
asyncio.run(main())
