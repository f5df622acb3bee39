"""Tasks that wait for a connection, or over one, in vain: pools.py PIPE NAME POSTGRES_PORT

The line at which a finding must point is marked with `# here: NAME`. Ready is said when the wait is known to have begun: the
pool's own queue holds the waiters, or the database says who waits for the lock.
"""
import asyncio
import socket
import sys

import progress

kept = []


def keep(coroutine):
    kept.append(asyncio.ensure_future(coroutine))


def connect_options():
    return dict(host="127.0.0.1", port=int(sys.argv[3]), user="postgres", database="postgres", ssl=False)


async def copy_row(pool):
    async with pool.acquire() as source:
        await source.fetchval("SELECT 1")
        progress.count("has one")
        await progress.until(lambda: progress.rounds["has one"] == 2)
        async with pool.acquire() as destination:  # here: asyncpg_nested
            await destination.execute("SELECT 1")


async def asyncpg_nested():
    """Both connections are taken by tasks that want a second one."""
    import asyncpg

    pool = await asyncpg.create_pool(min_size=2, max_size=2, **connect_options())
    for _ in range(2):
        keep(copy_row(pool))
    await progress.until(lambda: len(pool._queue._getters) == 2)
    progress.ready()


async def fetch(session, url):
    async with session.get(url) as response:  # here: aiohttp_limit
        return await response.read()


async def aiohttp_limit():
    """One connection, over which the server does not answer: a task uses it, four wait for it."""
    import aiohttp

    stalled = socket.socket()
    stalled.bind(("127.0.0.1", 0))
    stalled.listen()
    connector = aiohttp.TCPConnector(limit=1)
    session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
    kept.extend([stalled, session])
    for _ in range(5):
        keep(fetch(session, "http://127.0.0.1:{}/".format(stalled.getsockname()[1])))
    await progress.until(lambda: connector._acquired and sum(map(len, connector._waiters.values())) == 4)
    accepted, _ = stalled.accept()
    accepted.setblocking(False)
    kept.append(accepted)
    await asyncio.get_running_loop().sock_recv(accepted, 1 << 16)
    progress.ready()


async def aiohttp_held():
    """One connection, held by a task that has its response and waits for something else: nobody uses it."""
    import aiohttp
    from aiohttp import web

    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await progress.forever()

    async def hold(session, url):
        async with session.get(url):
            progress.count("holds")
            await progress.forever()

    async def want(session, url):
        await session.get(url)  # here: aiohttp_held

    runner = web.AppRunner(web.Application())
    runner.app.router.add_get("/", answer)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = "http://127.0.0.1:{}/".format(site._server.sockets[0].getsockname()[1])
    connector = aiohttp.TCPConnector(limit=1)
    session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
    kept.append(session)
    keep(hold(session, url))
    await progress.until(lambda: progress.rounds.get("holds"))
    keep(want(session, url))
    await progress.until(lambda: sum(map(len, connector._waiters.values())) == 1)
    progress.ready()


async def change(connection):
    await connection.execute("UPDATE account_locked SET balance = balance + 1 WHERE id = 1")  # here: asyncpg_row_lock


async def asyncpg_row_lock():
    """Another session has changed the row and does not commit."""
    import asyncpg

    holder, waiter, observer = [await asyncpg.connect(**connect_options()) for _ in range(3)]
    await holder.execute("CREATE TABLE IF NOT EXISTS account_locked (id int PRIMARY KEY, balance int)")
    await holder.execute("INSERT INTO account_locked VALUES (1, 0) ON CONFLICT DO NOTHING")
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("UPDATE account_locked SET balance = balance + 1 WHERE id = 1")
    kept.extend([holder, waiter, transaction])
    keep(change(waiter))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE account_locked%'"
    while await observer.fetchval(waiting) < 1:
        await asyncio.sleep(0.005)
    await observer.close()
    progress.ready(local="{}:{}".format(*waiter._transport.get_extra_info("sockname")))


async def main():
    await globals()[sys.argv[2]]()
    await progress.forever()


asyncio.run(main())
