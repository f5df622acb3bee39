"""Waits for real servers that do not answer: silent_partners.py PIPE POSTGRES_PORT REDIS_PORT PART...

Each part starts a task, named like the part, and says what it knows of the connection.
"""
import asyncio
import socket
import sys
import threading

import truth

FAR = 100000
expected = {}
kept = []
never = threading.Event()


def start_task(name, coroutine, **facts):
    task = asyncio.ensure_future(coroutine)
    task.set_name(name)
    expected[name] = facts
    kept.append(task)


def describe(transport):
    local, peer = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
    return dict(local="{}:{}".format(*local[:2]), peer="{}:{}".format(*peer[:2]), tcp_state="ESTABLISHED")


async def asyncpg():
    import asyncpg

    first, second = [await asyncpg.connect(host="127.0.0.1", port=POSTGRES, user="postgres", database="postgres", ssl=False) for _ in range(2)]
    await first.execute("CREATE TABLE IF NOT EXISTS account_a (id int PRIMARY KEY, balance int)")
    await first.execute("INSERT INTO account_a VALUES (1, 0) ON CONFLICT DO NOTHING")
    transaction = first.transaction()
    await transaction.start()
    await first.execute("UPDATE account_a SET balance = balance + 1 WHERE id = 1")
    start_task("asyncpg", second.execute("UPDATE account_a SET balance = balance + 1 WHERE id = 1"), **describe(second._transport))
    kept.extend([first, second, transaction])


async def psycopg():
    import psycopg

    where = "host=127.0.0.1 port={} user=postgres dbname=postgres sslmode=disable".format(POSTGRES)
    first, second = [await psycopg.AsyncConnection.connect(where, autocommit=False) for _ in range(2)]
    await first.execute("CREATE TABLE IF NOT EXISTS account_p (id int PRIMARY KEY, balance int)")
    await first.execute("INSERT INTO account_p VALUES (1, 0) ON CONFLICT DO NOTHING")
    await first.commit()
    await first.execute("UPDATE account_p SET balance = balance + 1 WHERE id = 1")
    seen = socket.socket(fileno=second.fileno())
    facts = dict(local="{}:{}".format(*seen.getsockname()), peer="{}:{}".format(*seen.getpeername()), tcp_state="ESTABLISHED")
    seen.detach()
    start_task("psycopg", second.execute("UPDATE account_p SET balance = balance + 1 WHERE id = 1"), **facts)
    kept.extend([first, second])


async def redis():
    from redis.asyncio import Redis

    client = Redis(host="127.0.0.1", port=REDIS, single_connection_client=True)
    await client.ping()
    writer = client.connection._writer
    start_task("redis", client.blpop("nothing", 0), **describe(writer))
    kept.append(client)


async def aiohttp():
    import aiohttp

    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen()
    port = silent.getsockname()[1]
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FAR))
    start_task("aiohttp", session.get("http://127.0.0.1:{}/".format(port)), peer="127.0.0.1:{}".format(port), tcp_state="ESTABLISHED",
               timeout=asyncio.get_running_loop().time() + FAR)
    kept.extend([silent, session])


async def tls():
    """A stream over TLS whose server never writes."""
    import ssl
    import tempfile

    import certificate

    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate.PEM)
        file.flush()
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(file.name)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    server = await asyncio.start_server(lambda reader, writer: kept.append((reader, writer)), "127.0.0.1", 0, ssl=serving)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=trusting)
    facts = describe(writer.transport)
    start_task("tls", reader.readline(), tls=True, **facts)
    kept.extend([server, writer])


async def anyio():
    import anyio
    import anyio.abc
    from anyio import to_thread

    limiter = anyio.CapacityLimiter(1)
    started = threading.Event()

    def work():
        started.set()
        never.wait()

    send, receive = anyio.create_memory_object_stream(3)
    start_task("anyio worker", to_thread.run_sync(work, limiter=limiter))
    while not started.is_set():
        await asyncio.sleep(0.01)
    start_task("anyio limited", to_thread.run_sync(work, limiter=limiter))
    start_task("anyio receive", receive.receive())
    start_task("anyio scope", anyio_scope(anyio), timeout=asyncio.get_running_loop().time() + FAR)
    start_task("anyio group", anyio_group(anyio))
    kept.extend([limiter, send, receive])


async def anyio_scope(anyio):
    async with anyio.create_task_group() as group:
        with anyio.move_on_after(FAR):
            group.start_soon(forever)
            await forever()


async def anyio_group(anyio):
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(forever)


async def forever():
    await asyncio.get_running_loop().create_future()


async def fastapi():
    """Two synchronous requests in threads, three more that wait for one."""
    import uvicorn
    from anyio import to_thread
    from fastapi import FastAPI

    started = []

    def report():
        started.append(truth.own_tid())
        never.wait()

    to_thread.current_default_thread_limiter().total_tokens = 2
    application = FastAPI()
    application.get("/report")(report)
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_level="critical", loop="asyncio"))
    server.install_signal_handlers = lambda: None
    start_task("uvicorn", server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    for _ in range(5):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"GET /report HTTP/1.1\r\nHost: here\r\n\r\n")
        kept.append(client)
    while len(started) < 2:
        await asyncio.sleep(0.01)
    expected["uvicorn"] = dict(threads=started)
    kept.append(server)


async def main(parts):
    for part in parts:
        await globals()[part]()
    await asyncio.sleep(0.3)  # until all of them wait
    truth.ready(expected=expected)
    await forever()


POSTGRES, REDIS = int(sys.argv[2]), int(sys.argv[3])
truth.watch()
asyncio.run(main(sys.argv[4:]))
