"""Hundreds of tasks that wait in every way there is, nested at random; the second argument is the seed."""
import asyncio
import concurrent.futures
import contextlib
import random
import socket
import sys
import threading
import types

import truth

FOR_EVER = 100000
DEEPEST = 7
MOST_TASKS = 300
RELEASE = sys.version_info[:2]
# From 3.14 on the accelerator does not know the tasks of the Python implementation, and timeouts refuse to work in them.
TIMEOUTS = RELEASE < (3, 14) or asyncio.Task is not asyncio.tasks._PyTask or not hasattr(asyncio.tasks, "_CTask")
NEED_TIMEOUTS = ("link_timeout", "link_wait_for", "link_group")


class Awaitable:
    """Delegates in a generator of its own."""

    def __init__(self, inner):
        self.inner = inner

    def __await__(self):
        return (yield from self.inner.__await__())


class Wrapper(Awaitable):
    """Hands out the coroutine's own wrapper."""

    def __await__(self):
        return self.inner.__await__()


class Attempts:
    """An asynchronous iterator in Python."""

    def __init__(self, inner):
        self.inner = inner

    def __aiter__(self):
        return self

    def __anext__(self):
        return self.inner


class Graph:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.loop = asyncio.get_event_loop()
        self.tasks = []
        self.keep = []
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        self.scarce = 12  # threads and sockets still to be had
        self.shared = [asyncio.Event(), asyncio.Lock(), asyncio.Condition(), asyncio.Queue()]
        self.leaves = sorted(name for name in dir(self) if name.startswith("leaf_"))
        self.links = sorted(name for name in dir(self) if name.startswith("link_") and self.has(name))

    def has(self, name):
        since = getattr(getattr(self, name), "since", (3, 7))
        return RELEASE >= since and (TIMEOUTS or name not in NEED_TIMEOUTS)

    # Anything that waits for ever, and may wait for others that do.
    def anything(self, depth):
        if depth <= 0:
            return getattr(self, self.random.choice(self.leaves))()
        return getattr(self, self.random.choice(self.links))(depth)

    def deeper(self, depth):
        return self.anything(min(depth - 1, self.random.randrange(DEEPEST)))

    def task(self, coroutine, eager=False):
        task = asyncio.Task(coroutine, loop=self.loop, eager_start=True) if eager else self.loop.create_task(coroutine)
        self.keep.append(task)
        self.tasks.append(task)
        return task

    def some(self, depth):
        """A few things to wait for at once, fewer when there are many tasks already."""
        count = self.random.randrange(1, 4) if len(self.tasks) < MOST_TASKS else 1
        return [self.deeper(depth) for _ in range(count)]

    # Leaves ----------------------------------------------------------------------------------------------------------

    async def leaf_event(self):
        await self.random.choice([self.shared[0], asyncio.Event()]).wait()

    async def leaf_lock(self):
        async with self.shared[1]:
            await asyncio.Event().wait()

    async def leaf_condition(self):
        async with self.shared[2]:
            await self.shared[2].wait_for(lambda: False)

    async def leaf_semaphore(self):
        semaphore = self.random.choice([asyncio.Semaphore, asyncio.BoundedSemaphore])(1)
        async with semaphore:
            await semaphore.acquire()

    async def leaf_queue(self):
        await self.random.choice([self.shared[3], asyncio.PriorityQueue(), asyncio.LifoQueue(), asyncio.Queue()]).get()

    async def leaf_full_queue(self):
        queue = self.random.choice([asyncio.Queue, asyncio.PriorityQueue])(2)
        for number in range(3):
            await queue.put(number)

    async def leaf_join(self):
        queue = asyncio.Queue()
        queue.put_nowait(1)
        await queue.join()

    async def leaf_stream(self):
        await asyncio.StreamReader(loop=self.loop).readuntil(b"|")

    async def leaf_sleep(self):
        await asyncio.sleep(FOR_EVER + self.random.random() * FOR_EVER)

    async def leaf_future(self):
        await self.loop.create_future()

    async def leaf_barrier(self):
        await (asyncio.Barrier(3).wait() if RELEASE >= (3, 11) else asyncio.Event().wait())

    async def leaf_executor(self):
        self.scarce -= 1
        await (self.loop.run_in_executor(self.pool, threading.Event().wait) if self.scarce > 0 else self.loop.create_future())

    async def leaf_socket(self):
        self.scarce -= 1
        if self.scarce <= 0:
            return await asyncio.sleep(FOR_EVER)
        left, right = socket.socketpair()
        self.keep.append(right)
        left.setblocking(False)
        return await self.loop.sock_recv(left, 1)

    async def leaf_stubborn(self):
        while True:
            try:
                await asyncio.sleep(FOR_EVER)
            except asyncio.CancelledError:
                pass

    # Links without tasks ---------------------------------------------------------------------------------------------

    async def link_coroutine(self, depth):
        return await self.deeper(depth)

    @types.coroutine
    def old_style(self, depth):
        return (yield from self.deeper(depth))

    async def link_old_style(self, depth):
        await self.old_style(depth)

    async def link_awaitable(self, depth):
        await Awaitable(self.deeper(depth))

    async def link_wrapper(self, depth):
        await Wrapper(self.deeper(depth))

    async def link_iterator(self, depth):
        async for _ in Attempts(self.deeper(depth)):
            break

    async def produce(self, depth):
        """An asynchronous generator that waits before, after, in a handler or at the end of a yield."""
        try:
            yield 1
            yield await self.deeper(depth)
        except ValueError:
            yield await self.deeper(depth)
        except GeneratorExit:
            await self.deeper(depth)
            raise

    async def link_async_for(self, depth):
        async for _ in self.produce(depth):
            pass

    async def link_comprehension(self, depth):
        return {each: 1 async for each in self.produce(depth)}

    async def link_asend(self, depth):
        generator = self.produce(depth)
        self.keep.append(generator)
        await generator.__anext__()
        await generator.asend(None)

    async def link_athrow(self, depth):
        generator = self.produce(depth)
        self.keep.append(generator)
        await generator.asend(None)
        await generator.athrow(ValueError("as intended"))

    async def link_aclose(self, depth):
        generator = self.produce(depth)
        self.keep.append(generator)
        await generator.asend(None)
        await generator.aclose()

    async def link_anext(self, depth):
        generator = self.produce(depth)
        self.keep.append(generator)
        await anext(generator, None)  # noqa: F821  3.10
        await anext(generator, None)  # noqa: F821

    link_anext.since = (3, 10)

    async def link_context(self, depth):
        @contextlib.asynccontextmanager
        async def manager():
            yield await self.deeper(depth)

        async with manager():
            pass

    async def link_handler(self, depth):
        try:
            raise ValueError
        except ValueError:
            for _ in range(1):
                with contextlib.suppress(KeyError):
                    await self.deeper(depth)

    # Links to tasks --------------------------------------------------------------------------------------------------

    async def link_task(self, depth):
        await self.task(self.deeper(depth))

    async def link_known_task(self, depth):
        """Whatever task there is already, even this one's own waiter: rings are welcome."""
        others = [task for task in self.tasks if task is not asyncio.current_task() and not task.done()]
        if others:
            await self.random.choice(others)
        else:
            await self.deeper(depth)

    async def link_shield(self, depth):
        await asyncio.shield(self.task(self.deeper(depth)))

    async def link_gather(self, depth):
        await asyncio.gather(*self.some(depth), return_exceptions=self.random.random() < 0.5)

    async def link_wait(self, depth):
        tasks = [self.task(each) for each in self.some(depth)]
        await asyncio.wait(tasks, timeout=self.random.choice([None, FOR_EVER]), return_when=self.random.choice(
            [asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED]))

    async def link_as_completed(self, depth):
        for first in asyncio.as_completed(self.some(depth)):
            await first

    async def link_async_as_completed(self, depth):
        async for first in asyncio.as_completed([self.task(each) for each in self.some(depth)]):
            await first

    link_async_as_completed.since = (3, 13)

    async def link_wait_for(self, depth):
        await asyncio.wait_for(self.deeper(depth), FOR_EVER)

    async def link_timeout(self, depth):
        async with asyncio.timeout(FOR_EVER):
            await self.deeper(depth)

    link_timeout.since = (3, 11)

    async def link_group(self, depth):
        async with asyncio.TaskGroup() as group:
            for each in self.some(depth):
                self.tasks.append(group.create_task(each))
            if self.random.random() < 0.3:
                await self.deeper(depth)

    link_group.since = (3, 11)

    async def link_eager(self, depth):
        await self.task(self.deeper(depth), eager=True)

    link_eager.since = (3, 12)

    async def link_threadsafe(self, depth):
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.deeper(depth), self.loop))


async def ends(graph):
    await asyncio.sleep(0)
    if graph.random.random() < 0.5:
        raise ValueError("as intended")


async def settle(loop):
    """Lets everything go on until nothing else is ready to."""
    while True:
        await asyncio.sleep(0)
        if not loop._ready:
            return


async def main(seed):
    graph = Graph(seed)
    graph.loop.set_exception_handler(lambda loop, context: None)
    while len(graph.tasks) < MOST_TASKS:
        graph.task(graph.anything(graph.random.randrange(DEEPEST)))
        if graph.random.random() < 0.1:
            graph.task(ends(graph))
        if graph.random.random() < 0.2:
            await settle(graph.loop)
    await settle(graph.loop)
    for task in graph.random.sample(graph.tasks, len(graph.tasks) // 12):
        task.cancel()
    if graph.random.random() < 0.8:
        await settle(graph.loop)
    for number, task in enumerate(graph.tasks):
        if hasattr(task, "set_name") and graph.random.random() < 0.2:
            task.set_name("task {} \N{SNAKE}".format(number))
    truth.ready(at_least=100)
    # Should what it waits for fail or be cancelled, then run() would cancel all the others: this task stays whatever comes.
    with contextlib.suppress(Exception, asyncio.CancelledError):
        await graph.anything(3)
    await asyncio.Event().wait()


truth.watch()
asyncio.run(main(int(sys.argv[2])))
