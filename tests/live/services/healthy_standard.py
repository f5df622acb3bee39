"""A service in good health made of the standard library alone (and anyio), chosen by name: healthy_standard.py PIPE NAME

Written for 3.8 and later.
"""
import asyncio
import concurrent.futures
import ctypes
import json
import logging
import logging.handlers
import os
import queue
import signal
import ssl
import sys
import tempfile
import threading
import time

import certificate
import progress

WORKERS = 8
kept = []


def keep(coroutine):
    kept.append(asyncio.ensure_future(coroutine))


async def many_rounds(kind):
    await progress.until(lambda: progress.rounds.get(kind, 0) > 3 * WORKERS)
    progress.ready()


async def task_group():
    """Workers on a bounded queue whose results go into a second one; 3.11 and later."""
    async def produce(jobs):
        number = 0
        while True:
            await jobs.put(number)
            number += 1
            if number % 20 == 0:
                await jobs.join()
                await asyncio.sleep(0.01)

    async def work(jobs, results):
        while True:
            number = await jobs.get()
            try:
                async with asyncio.timeout(100):
                    await asyncio.sleep(0.001)
                await results.put(number)
            finally:
                jobs.task_done()

    async def collect(results):
        while True:
            await results.get()
            progress.count("result")

    async def run():
        jobs, results = asyncio.Queue(10), asyncio.Queue(10)
        async with asyncio.TaskGroup() as group:
            group.create_task(produce(jobs))
            group.create_task(collect(results))
            for _ in range(WORKERS):
                group.create_task(work(jobs, results))

    keep(run())
    await many_rounds("result")


async def task_group_idle():
    """The same workers without anything to do; 3.11 and later."""
    async def work(jobs):
        while True:
            await jobs.get()
            jobs.task_done()

    async def run():
        jobs = asyncio.Queue(10)
        kept.append(jobs)
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(work(jobs))

    keep(run())
    await asyncio.sleep(0)
    progress.ready()


async def threads():
    """Blocking calls in threads, of which there are enough."""
    def blocking_call():
        time.sleep(0.01)
        return sum(range(1000))

    async def work(pool):
        while True:
            await asyncio.get_running_loop().run_in_executor(pool, blocking_call)
            progress.count("call")
            if hasattr(asyncio, "to_thread"):
                await asyncio.to_thread(blocking_call)
            await asyncio.sleep(0.005)

    asyncio.get_running_loop().set_default_executor(concurrent.futures.ThreadPoolExecutor(WORKERS))
    pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
    for _ in range(WORKERS):
        keep(work(pool))
    await many_rounds("call")


def end_with_parent(parent):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)


async def process_pool():
    async def work(pool):
        while True:
            await asyncio.get_running_loop().run_in_executor(pool, sum, range(20000))
            progress.count("call")
            await asyncio.sleep(0.01)

    pool = concurrent.futures.ProcessPoolExecutor(2, initializer=end_with_parent, initargs=(os.getpid(),))
    kept.append(pool)
    for _ in range(WORKERS):
        keep(work(pool))
    await many_rounds("call")


class Counting(logging.Handler):
    def emit(self, record):
        progress.count("record")


async def log_listener():
    """Tasks log into a queue that a thread of logging's empties."""
    records = queue.Queue()
    log = logging.getLogger("service")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, Counting())
    listener.start()
    kept.append(listener)

    async def work(number):
        while True:
            log.info("worker %d is alive", number)
            await asyncio.sleep(0.01)

    for number in range(WORKERS):
        keep(work(number))
    await many_rounds("record")


async def tls():
    """A server whose clients have said hello and are quiet, over TLS."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate.PEM)
        file.flush()
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(file.name)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE

    async def serve(reader, writer):
        line = await reader.readline()
        while line:
            writer.write(line)
            await writer.drain()
            line = await reader.readline()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=serving)
    kept.append(server)
    connections = [await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=trusting) for _ in range(20)]
    for reader, writer in connections:
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
    kept.append(connections)
    keep(connections[0][0].readline())
    progress.ready()


async def crawler():
    """Many requests over streams, a few at a time, each with a timeout; results through a condition."""
    async def serve(reader, writer):
        await reader.readline()
        await asyncio.sleep(0.005)
        writer.write(b"page\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    kept.append(server)
    limit, changed, pages = asyncio.Semaphore(4), asyncio.Condition(), []

    async def fetch():
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            writer.write(b"page\n")
            return await reader.readline()
        finally:
            writer.close()

    async def visit():
        while True:
            async with limit:
                page = await asyncio.wait_for(fetch(), 100)
            async with changed:
                pages.append(page)
                changed.notify()

    async def store():
        while True:
            async with changed:
                await changed.wait_for(lambda: pages)
                pages.pop()
            progress.count("page")

    for _ in range(3 * WORKERS):
        keep(visit())
    for _ in range(2):
        keep(store())
    await many_rounds("page")


async def event_stream():
    """Asynchronous generators that feed subscribers; a heartbeat; a background job that is shielded."""
    async def ticks():
        number = 0
        while True:
            await asyncio.sleep(0.005)
            number += 1
            yield number

    async def subscribe():
        async for _ in ticks():
            progress.count("tick")

    async def guarded():
        while True:
            await asyncio.shield(asyncio.ensure_future(asyncio.sleep(0.01)))

    for _ in range(WORKERS):
        keep(subscribe())
    keep(guarded())
    await many_rounds("tick")


async def timeouts():
    """Every way to give up in time; the tasks went on."""
    finished = []

    async def work():
        for _ in range(3):
            try:
                await asyncio.wait_for(asyncio.sleep(100000), 0.01)
            except asyncio.TimeoutError:
                pass
        if sys.version_info >= (3, 11):
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(100000)
            except TimeoutError:
                pass
        finished.append(None)
        await progress.forever()

    for _ in range(WORKERS):
        keep(work())
    await progress.until(lambda: len(finished) == WORKERS)
    progress.ready()


async def anyio_timeouts():
    import anyio

    finished = []

    async def work():
        for _ in range(3):
            with anyio.move_on_after(0.01):
                await asyncio.sleep(100000)
        async with anyio.create_task_group() as group:
            group.start_soon(asyncio.sleep, 100000)
            await asyncio.sleep(0.01)
            group.cancel_scope.cancel()
        finished.append(None)
        await progress.forever()

    for _ in range(WORKERS):
        keep(work())
    await progress.until(lambda: len(finished) == WORKERS)
    progress.ready()


async def shared_log():
    """Threads and tasks write into one log file, whose lock they take turns at."""
    log = logging.getLogger("service")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(logging.StreamHandler(tempfile.TemporaryFile("w")))

    def write():
        while True:
            log.info("a thread says %s", "x" * 100)
            time.sleep(0.001)

    async def work():
        while True:
            log.info("a task is alive")
            progress.count("line")
            await asyncio.sleep(0.001)

    for _ in range(4):
        threading.Thread(target=write, daemon=True).start()
    for _ in range(WORKERS):
        keep(work())
    await many_rounds("line")


async def heavy_steps():
    """Steps that compute for some milliseconds, and let others run in between."""
    data = [{"number": number, "text": "x" * 20} for number in range(20000)]

    async def work():
        while True:
            json.loads(json.dumps(data))
            progress.count("document")
            await asyncio.sleep(0)

    async def tick():
        while True:
            await asyncio.sleep(0.001)

    keep(work())
    keep(tick())
    await progress.until(lambda: progress.rounds.get("document", 0) > 2)
    progress.ready()


async def abandoned_generators():
    """Asynchronous generators that are left before their end: the loop closes them."""
    async def numbers():
        number = 0
        while True:
            yield number
            number += 1
            await asyncio.sleep(0.001)

    async def work():
        while True:
            async for number in numbers():
                if number == 5:
                    break
            progress.count("round")

    for _ in range(WORKERS):
        keep(work())
    await many_rounds("round")


async def background_tasks():
    """Tasks that nobody awaits: some in a set as the documentation has it, some held by their timer alone."""
    running = set()

    async def job():
        await asyncio.sleep(0.01)
        progress.count("job")

    async def work():
        while True:
            task = asyncio.ensure_future(job())
            running.add(task)
            task.add_done_callback(running.discard)
            asyncio.ensure_future(job())
            await asyncio.sleep(0.002)

    keep(work())
    await many_rounds("job")


async def answers_by_key():
    """Each task waits for a future that a thread's message completes."""
    waiters = {}
    loop = asyncio.get_running_loop()

    def answer_all():
        for waiter in waiters.values():
            waiter.done() or waiter.set_result("answer")

    def receive():
        while True:
            time.sleep(0.002)
            loop.call_soon_threadsafe(answer_all)

    async def ask(key):
        while True:
            waiters[key] = loop.create_future()
            await waiters[key]
            progress.count("answer")

    threading.Thread(target=receive, daemon=True).start()
    for key in range(WORKERS):
        keep(ask(key))
    await many_rounds("answer")


async def pipes():
    """Lines to and from a child process."""
    child = await asyncio.create_subprocess_exec("/bin/cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    kept.append(child)

    async def work():
        while True:
            child.stdin.write(b"line\n")
            await child.stdin.drain()
            await child.stdout.readline()
            progress.count("line")

    keep(work())
    keep(child.wait())
    await many_rounds("line")


async def main(name):
    await globals()[name]()
    await progress.forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[2]))
