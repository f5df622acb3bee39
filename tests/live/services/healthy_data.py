"""A service in good health over PostgreSQL or Redis, chosen by name: healthy_data.py PIPE NAME POSTGRES_PORT REDIS_PORT"""
import asyncio
import sys

import progress

WORKERS = 12
kept = []


def keep(coroutine):
    kept.append(asyncio.ensure_future(coroutine))


async def many_rounds(kind):
    await progress.until(lambda: progress.rounds.get(kind, 0) > 3 * WORKERS)
    progress.ready()


async def query_with_asyncpg(pool):
    while True:
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT $1::int + 1", 1) == 2
            async with connection.transaction():
                await connection.execute("SELECT 1")
        progress.count("query")
        await asyncio.sleep(0.01)


def open_asyncpg_pool(size):
    import asyncpg

    return asyncpg.create_pool(host="127.0.0.1", port=POSTGRES, user="postgres", database="postgres", ssl=False, min_size=size, max_size=size)


async def asyncpg_pool():
    """More connections than workers, one that listens, one with a long query."""
    pool = await open_asyncpg_pool(WORKERS + 6)
    listener = await pool.acquire()
    await listener.add_listener("quiet", print)
    kept.extend([pool, listener])
    keep(pool.execute("SELECT pg_sleep(100000)"))
    for _ in range(WORKERS):
        keep(query_with_asyncpg(pool))
    await many_rounds("query")


async def asyncpg_idle():
    pool = await open_asyncpg_pool(5)
    await asyncio.gather(*[pool.fetchval("SELECT 1") for _ in range(5)])
    kept.append(pool)
    progress.ready()


async def asyncpg_timeouts():
    """Queries that were given up in time; the tasks went on with others."""
    async def work(pool):
        async with pool.acquire() as connection:
            try:
                await connection.execute("SELECT pg_sleep(100000)", timeout=0.02)
            except asyncio.TimeoutError:
                pass
        while True:
            await query_with_asyncpg(pool)

    pool = await open_asyncpg_pool(WORKERS + 1)
    kept.append(pool)
    for _ in range(WORKERS):
        keep(work(pool))
    await many_rounds("query")


def open_redis(**options):
    from redis.asyncio import Redis

    return Redis(host="127.0.0.1", port=REDIS, **options)


async def redis_subscribers():
    """Quiet channels, and one on which something is published now and then."""
    async def listen(subscription):
        async for _ in subscription.listen():
            progress.count("message")

    async def poll(subscription):
        while True:
            await subscription.get_message(ignore_subscribe_messages=True, timeout=100000)

    async def publish(client):
        while True:
            await client.publish("news", "hello")
            await asyncio.sleep(0.01)

    client = open_redis()
    kept.append(client)
    for number in range(WORKERS):
        subscription = client.pubsub()
        await subscription.subscribe("news" if number % 4 == 0 else "quiet")
        keep(poll(subscription) if number % 4 == 1 else listen(subscription))
    keep(publish(client))
    await many_rounds("message")


async def redis_workers():
    """Workers that block on lists, with a timeout: some lists get items, others do not."""
    async def work(client, name):
        while True:
            if await client.blpop(name, timeout=5):
                progress.count("item")

    async def produce(client):
        while True:
            await client.rpush("busy", "item")
            await asyncio.sleep(0.01)

    client = open_redis()
    await client.delete("busy", "empty")
    kept.append(client)
    for number in range(WORKERS):
        keep(work(client, "empty" if number % 2 else "busy"))
    keep(produce(client))
    await many_rounds("item")


async def redis_timeouts():
    """Workers that met a timeout of their connection, caught it and went on."""
    from redis.exceptions import TimeoutError

    async def work(client):
        try:
            await client.blpop("never", 0)
        except TimeoutError:
            pass
        while True:
            await client.set("key", "value")
            progress.count("command")
            await asyncio.sleep(0.01)

    client = open_redis(socket_timeout=0.05)
    kept.append(client)
    for _ in range(WORKERS):
        keep(work(client))
    await many_rounds("command")


async def psycopg():
    """Connections that rest between queries, one that waits for notifications, and workers."""
    import psycopg

    where = "host=127.0.0.1 port={} user=postgres dbname=postgres sslmode=disable".format(POSTGRES)

    async def connect():
        return await psycopg.AsyncConnection.connect(where, autocommit=True)

    async def listen(connection):
        await connection.execute("LISTEN quiet")
        async for _ in connection.notifies():
            pass

    async def work(connection):
        while True:
            cursor = await connection.execute("SELECT 1")
            assert await cursor.fetchone() == (1,)
            progress.count("query")
            await asyncio.sleep(0.01)

    kept.extend([await connect() for _ in range(5)])
    keep(listen(await connect()))
    for _ in range(4):
        keep(work(await connect()))
    await many_rounds("query")


async def main(name):
    await globals()[name]()
    await progress.forever()


POSTGRES, REDIS = int(sys.argv[3]), int(sys.argv[4])
asyncio.run(main(sys.argv[2]))
