"""What only a look at the whole heap finds: finished tasks, coroutines that were never started, generators that were left, streams."""
# needs: 3.8 because the tasks are found by their names
import asyncio
import gc

import truth

kept = []


async def ends(number):
    return number


async def never_started():
    pass


async def feed():
    yield 1
    yield 2


async def begin_feed():
    items = feed()
    await items.__anext__()
    return items


async def reads(items):
    async for _ in items:
        await asyncio.Event().wait()


async def main():
    server = await asyncio.start_server(lambda reader, writer: kept.append(writer), "127.0.0.1", 0)
    kept.append(server)
    for number in range(5):
        task = asyncio.ensure_future(ends(number))
        task.set_name("ended-{}".format(number))
        kept.append(task)
    for number in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        kept.append((reader, writer))
        if number == 0:
            writer.close()
            await writer.wait_closed()
    kept.extend(never_started() for _ in range(4))
    kept.extend([await begin_feed() for _ in range(2)])
    kept.append(asyncio.ensure_future(reads(feed())))
    await asyncio.sleep(0.05)
    gc.collect()
    gc.disable()
    truth.ready(tracked=len(gc.get_objects()) + gc.get_freeze_count())
    await asyncio.Event().wait()


truth.watch()
asyncio.run(main())
