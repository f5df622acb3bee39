"""A program that is in good health, chosen by name: nothing of it may be found wrong. Written for 3.8 and later."""
import asyncio
import json
import os
import signal
import sys
import threading
import time

kept = []


def keep(coroutine):
    kept.append(asyncio.ensure_future(coroutine))


async def idle():
    kept.append(await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0))


async def nothing():
    pass


async def sleepers():
    for _ in range(200):
        keep(asyncio.sleep(100000))


async def works(items):
    while True:
        await items.get()
        items.task_done()


async def workers():
    items = asyncio.Queue(10)
    for _ in range(5):
        keep(works(items))
    for item in range(30):
        await items.put(item)
    await items.join()


async def signals():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    keep(stop.wait())


async def subprocess():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    keep(child.wait())
    keep(child.stdout.read())
    kept.append(child)


async def in_thread():
    await asyncio.get_running_loop().run_in_executor(None, threading.Event().wait, 1000)


async def executor():
    for _ in range(3):
        keep(in_thread())


async def serve(reader, writer):
    while await reader.readline():
        writer.write(b"pong\n")


async def connections():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    kept.append(server)
    for _ in range(300):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        writer.write(b"ping\n")
        await reader.readline()
        kept.append((reader, writer))


async def listens(reader):
    await reader.readline()


async def streams():
    """A subscriber on a quiet channel."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    kept.append(server)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    kept.append(writer)
    keep(listens(reader))


async def throttled(limit):
    async with limit:
        await asyncio.sleep(100000)


async def throttle():
    limit = asyncio.Semaphore(3)
    for _ in range(20):
        keep(throttled(limit))


async def on(condition):
    async with condition:
        await condition.wait()


async def condition():
    shared = asyncio.Condition()
    for _ in range(5):
        keep(on(shared))


async def timeouts():
    for _ in range(5):
        keep(asyncio.wait_for(asyncio.Event().wait(), 100000))


async def threads():
    """A loop in a thread of its own, and a thread that waits for a coroutine of this loop."""
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: asyncio.run(asyncio.sleep(100000)), daemon=True).start()
    threading.Thread(target=lambda: asyncio.run_coroutine_threadsafe(asyncio.sleep(100000), loop).result(), daemon=True).start()


async def group():
    tasks = [asyncio.ensure_future(asyncio.sleep(100000)) for _ in range(5)]
    keep(gathers(tasks))


async def gathers(tasks):
    await asyncio.gather(*tasks)


async def datagrams():
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    kept.append(transport)


async def turns():
    while True:
        sum(range(1000))
        await asyncio.sleep(0)


async def busy():
    for _ in range(20):
        keep(turns())


async def main():
    await globals()[sys.argv[2]]()
    await asyncio.sleep(0.1)
    os.write(int(sys.argv[1]), (json.dumps({"time": time.monotonic()}) + "\n").encode())
    await asyncio.Event().wait()


asyncio.run(main())
