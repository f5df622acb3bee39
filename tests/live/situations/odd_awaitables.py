"""Tasks over things that are no coroutines: an awaitable, a Coroutine class in Python, an iterator as __await__."""
import asyncio
import collections.abc

import truth


class Awaitable:
    def __init__(self, future):
        self.future = future

    def __await__(self):
        return self.future.__await__()


class Steps:
    """An iterator in Python that hands out a future's own steps."""

    def __init__(self, future):
        self.steps = future.__await__()

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.steps)

    def __await__(self):
        return self


class Handmade(Awaitable, collections.abc.Coroutine):
    def send(self, value):
        self.steps = getattr(self, "steps", None) or self.future.__await__()
        return self.steps.send(value)

    def throw(self, *arguments):
        raise arguments[0]

    def close(self):
        pass


async def awaits(thing):
    await thing


async def main():
    future = asyncio.get_running_loop().create_future()
    tasks = [asyncio.ensure_future(each) for each in
             (Awaitable(future), Handmade(future), awaits(Handmade(future)), awaits(Steps(future)))]
    truth.ready(tasks=5)
    await asyncio.wait(tasks)


truth.watch()
asyncio.run(main())
