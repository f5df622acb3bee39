"""Queries that do not end, over asyncpg to a real PostgreSQL: each task waits in a coroutine written in Cython."""
import asyncio
import sys

import asyncpg
import truth

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(100000)' AND wait_event = 'PgSleep'"


async def connect():
    return await asyncpg.connect(host="127.0.0.1", port=int(sys.argv[2]), user="postgres", database="postgres", ssl=False)


async def query(connection):
    await connection.execute("SELECT pg_sleep(100000)")


async def fetch(connection):
    return await connection.fetch("SELECT pg_sleep($1)", 100000)


async def main():
    connections = [await connect() for _ in range(3)]
    tasks = [asyncio.ensure_future(query(each)) for each in connections[:2]] + [asyncio.ensure_future(fetch(connections[2]))]
    observer = await connect()
    while await observer.fetchval(WAITING) < 2:
        await asyncio.sleep(0)
    while await observer.fetchval(WAITING.replace("100000", "$1")) < 1:
        await asyncio.sleep(0)
    await observer.close()
    truth.ready(at_least=4)
    await asyncio.wait(tasks)


truth.watch()
asyncio.run(main())
