"""What the stored recordings are of: a dozen tasks, each of which waits for something else, behind one that blocks.

Runs on every Python from 3.7 on; scripts/make-recordings starts it and takes the recording once it has said that it is ready.
"""
import asyncio
import sys
import time


async def sleeps(seconds):
    await asyncio.sleep(seconds)


async def waits_for_event(event):
    await event.wait()


async def takes(lock):
    async with lock:
        await asyncio.sleep(100000)


async def gets(queue):
    return await queue.get()


async def gathers():
    await asyncio.gather(sleeps(50000), sleeps(60000))


async def awaits(task):
    await task


async def shielded(task):
    await asyncio.shield(task)


async def reads(reader):
    await reader.readline()


async def fails():
    raise ValueError("nobody asked")


def render(template):
    print(template)
    sys.stdout.flush()
    time.sleep(1000000)


async def handles(template):
    await asyncio.sleep(0)
    render(template)


async def main():
    event, lock, queue, reader = asyncio.Event(), asyncio.Lock(), asyncio.Queue(), asyncio.StreamReader()
    sleeper = asyncio.ensure_future(sleeps(70000))
    tasks = [asyncio.ensure_future(each) for each in (
        waits_for_event(event), takes(lock), takes(lock), gets(queue), gathers(), awaits(sleeper), shielded(sleeper),
        reads(reader), fails())]
    await asyncio.sleep(0.01)
    tasks.append(asyncio.ensure_future(handles("ready")))
    await asyncio.wait(tasks)


asyncio.run(main())
