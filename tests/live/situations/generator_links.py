"""Chains that pass through generators, old-style coroutines and asynchronous generators."""
import asyncio
import types

import truth


class Awaitable:
    def __init__(self, future):
        self.future = future

    def __await__(self):
        result = yield from self.future
        return result


class Wrapping(Awaitable):
    def __await__(self):
        return self.inner().__await__()

    async def inner(self):
        return await self.future


@types.coroutine
def old_style(future):
    return (yield from future.__await__())


async def produce(future):
    yield 1
    yield await future


async def through_object(future):
    await Awaitable(future)


async def through_wrapper(future):
    await Wrapping(future)


async def through_old_style(future):
    await old_style(future)


async def through_loop(future):
    async for _ in produce(future):
        pass


async def through_asend(future):
    generator = produce(future)
    await generator.asend(None)
    await generator.asend(None)


async def through_comprehension(future):
    return [each async for each in produce(future)]


async def main():
    future = asyncio.get_running_loop().create_future()
    ways = [through_object, through_wrapper, through_old_style, through_loop, through_asend, through_comprehension]
    tasks = [asyncio.ensure_future(way(future)) for way in ways]
    truth.ready(tasks=1 + len(ways))
    await asyncio.wait(tasks)


truth.watch()
asyncio.run(main())
