"""Waiters of every primitive: event, condition, semaphore, queue (both ends and join), lock, bare future."""
import asyncio

import truth


async def on_condition(condition):
    async with condition:
        await condition.wait()


async def main():
    full, empty = asyncio.Queue(1), asyncio.Queue()
    full.put_nowait("item")
    lock, semaphore = asyncio.Lock(), asyncio.BoundedSemaphore(1)
    await lock.acquire()
    await semaphore.acquire()
    waits = [asyncio.Event().wait(), on_condition(asyncio.Condition()), semaphore.acquire(), lock.acquire(), lock.acquire(),
             full.put("more"), empty.get(), empty.get(), full.join(), asyncio.PriorityQueue().get(),
             asyncio.LifoQueue().get(), asyncio.sleep(100000)]
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    truth.ready(tasks=1 + len(waits))
    await asyncio.get_running_loop().create_future()
    del tasks


truth.watch()
asyncio.run(main())
