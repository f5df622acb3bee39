"""One known failure of asyncio, chosen by name. The line at which a finding must point is marked with `# here: NAME`.

Written for 3.8 and later. A coroutine `NAME` gets itself into the failure; `settle` are names of those that say themselves when.
"""
import asyncio
import concurrent.futures
import gc
import os
import queue
import re
import socket
import sys
import threading
import time

import truth

kept = []


def keep(coroutine):
    kept.append(asyncio.ensure_future(coroutine))
    return kept[-1]


async def settle():
    for _ in range(20):
        await asyncio.sleep(0.005)
    truth.ready()


async def forever():
    await asyncio.Event().wait()


async def blocking_sleep():
    keep(forever())
    truth.ready()
    time.sleep(100000)  # here: blocking_sleep


def ask(peer):
    return peer.recv(1)  # here: blocking_socket


async def blocking_socket():
    one, kept[:] = socket.socketpair(), []
    kept.append(one)
    truth.ready()
    ask(one[0])


async def blocking_pipe():
    reading, writing = os.pipe()
    kept.append(writing)
    truth.ready()
    os.read(reading, 1)  # here: blocking_pipe


async def blocking_child():
    import subprocess
    truth.ready()
    subprocess.run([sys.executable, "-c", "input()"])  # here: blocking_child


async def blocking_callback():
    def call_back():
        truth.ready()
        time.sleep(100000)  # here: blocking_callback
    asyncio.get_running_loop().call_soon(call_back)
    await forever()


async def processor():
    asyncio.get_running_loop().call_later(0.001, print)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        pass
    truth.ready(spinning=[truth.own_tid()])
    count = 0
    while True: count += 1  # noqa: E701  # here: processor


async def thread_queue():
    truth.ready()
    queue.Queue().get()  # here: thread_queue


async def thread_lock():
    lock = threading.Lock()
    lock.acquire()
    truth.ready()
    lock.acquire()  # here: thread_lock


async def own_result():
    truth.ready()
    asyncio.run_coroutine_threadsafe(forever(), asyncio.get_running_loop()).result()  # here: own_result


async def worker_and_loop():
    loop = asyncio.get_running_loop()

    def work():
        truth.ready()
        asyncio.run_coroutine_threadsafe(forever(), loop).result()

    kept.append(concurrent.futures.ThreadPoolExecutor(1))
    kept[0].submit(work).result()  # here: worker_and_loop


async def job_result():
    kept.append(concurrent.futures.ThreadPoolExecutor(1))
    truth.ready()
    kept[0].submit(threading.Event().wait).result()  # here: job_result


async def take(first, second):
    async with first:
        await asyncio.sleep(0.01)
        async with second:  # here: lock_order
            pass


async def lock_order():
    one, two = asyncio.Lock(), asyncio.Lock()
    keep(take(one, two))
    keep(take(two, one))
    await settle()
    await forever()


async def twice(lock):
    async with lock:
        async with lock:  # here: lock_twice
            pass


async def lock_twice():
    keep(twice(asyncio.Lock()))
    await settle()
    await forever()


async def follow(tasks, place):
    await asyncio.sleep(0)
    await tasks[place]  # here: ring


async def ring():
    tasks = []
    tasks.extend(keep(follow(tasks, (place + 1) % 3)) for place in range(3))
    await settle()
    await forever()


async def take_and_die(lock):
    await lock.acquire()


async def enters(lock):
    async with lock:  # here: never_released
        pass


async def never_released():
    lock = asyncio.Lock()
    await keep(take_and_die(lock))
    keep(enters(lock))
    del lock
    await settle()
    await forever()


async def in_thread(executor):
    await asyncio.get_running_loop().run_in_executor(executor, hang)


def hang():
    threading.Event().wait()  # here: executor_full


async def executor_full():
    executor = concurrent.futures.ThreadPoolExecutor(2)
    for _ in range(5):
        keep(in_thread(executor))
    await settle()
    await forever()


async def full_executor_in_gather():
    loop, executor = asyncio.get_running_loop(), concurrent.futures.ThreadPoolExecutor(2)
    keep(gathers_calls([loop.run_in_executor(executor, hang_too) for _ in range(5)]))
    await settle()
    await forever()


async def gathers_calls(calls):
    await asyncio.gather(*calls)


def hang_too():
    threading.Event().wait()  # here: full_executor_in_gather


async def stubborn():
    try:
        await asyncio.sleep(100000)
    except asyncio.CancelledError:
        await asyncio.sleep(200000)  # here: swallowed


async def swallowed():
    task = keep(stubborn())
    await asyncio.sleep(0.01)
    task.cancel()
    await settle()
    await forever()


async def goes_on_all_the_same():
    while True:
        try:
            await asyncio.sleep(100000)  # here: dealt_with
        except asyncio.CancelledError:
            pass


async def dealt_with():
    task = keep(goes_on_all_the_same())
    await asyncio.sleep(0.01)
    task.cancel()
    await settle()
    await forever()


async def puts(items):
    for item in range(3):
        await items.put(item)  # here: full_queue


async def full_queue():
    keep(puts(asyncio.Queue(1)))
    await settle()
    await forever()


async def gets(items):
    while True:
        await items.get()


async def joins(items):
    await items.join()  # here: never_done


async def never_done():
    items = asyncio.Queue()
    items.put_nowait("item")
    keep(gets(items))
    keep(joins(items))
    del items
    await settle()
    await forever()


async def shutdown():
    keep(stubborn_at_end())
    await asyncio.sleep(0.05)


async def stubborn_at_end():
    try:
        await asyncio.sleep(100000)
    except asyncio.CancelledError:
        truth.ready()
        await asyncio.sleep(200000)  # here: shutdown


async def waits_for(future):
    await future  # here: wrong_thread


async def wrong_thread():
    future = asyncio.get_running_loop().create_future()
    keep(waits_for(future))
    await asyncio.sleep(0.01)

    def set_result():
        while not sleeps(threading.main_thread()):
            time.sleep(0.01)
        future.set_result(None)
        truth.ready()

    threading.Thread(target=set_result, daemon=True).start()
    await forever()


def sleeps(thread):
    with open(os.open("self/task/{}/stat".format(thread.native_id), os.O_RDONLY, dir_fd=truth.PROC)) as file:
        return re.search(r"\) (\w)", file.read()).group(1) == "S"


async def nested_loops():
    other = asyncio.new_event_loop()
    asyncio.events._set_running_loop(None)
    truth.ready()
    other.run_until_complete(forever())  # here: nested_loops


async def fails_later():
    await asyncio.sleep(0)
    raise ValueError("refresh failed")  # here: unretrieved


async def unretrieved():
    keep(fails_later())
    await settle()
    await forever()


async def lonely():
    await asyncio.get_running_loop().create_future()  # here: lost_task


async def lost_task():
    gc.disable()  # the collector destroys it otherwise, sooner or later
    asyncio.ensure_future(lonely())
    await settle()
    await forever()


async def notify():  # here: never_awaited
    pass


async def never_awaited():
    kept.extend(notify() for _ in range(3))
    await settle()
    await forever()


async def waits_alone():
    future = asyncio.get_running_loop().create_future()
    kept.append(future)
    await future  # here: bare_future


async def bare_future():
    keep(waits_alone())
    await settle()
    await forever()


async def raises_soon():
    await asyncio.sleep(0.01)
    raise ValueError("no such host")


async def goes_on():
    await asyncio.sleep(100000)  # here: orphans


async def orphans():
    try:
        await asyncio.gather(raises_soon(), goes_on(), goes_on())
    except ValueError:
        pass
    await settle()
    await forever()


async def gathers():
    await asyncio.gather(raises_soon(), raises_soon(), asyncio.sleep(100000), return_exceptions=True)  # here: hidden_failures


async def hidden_failures():
    keep(gathers())
    await settle()
    await forever()


async def commits():
    await asyncio.sleep(100000)  # here: shielded


async def shields(inner):
    await asyncio.shield(inner)


async def shielded():
    task = keep(shields(keep(commits())))
    for _ in range(5):
        await asyncio.sleep(0.001)
    task.cancel()
    truth.ready()
    time.sleep(100000)


async def feed():
    for number in range(10):
        yield number  # here: generators


async def generators():
    for _ in range(12):
        items = feed()
        async for _ in items:
            break
        kept.append(items)
    del items
    await settle()
    await forever()


async def request():
    import contextvars
    contextvars.ContextVar("request_id").set("r-4711")
    contextvars.ContextVar("session_token").set("hunter2")
    keep(handles())
    await forever()


async def handles():
    truth.ready()
    time.sleep(100000)  # here: request


async def cleans_up():
    try:
        await asyncio.sleep(100000)
    finally:
        await asyncio.sleep(200000)  # here: stuck_group


async def groups():
    async with asyncio.TaskGroup() as group:
        group.create_task(cleans_up())
        group.create_task(raises_soon())


async def stuck_group():
    if sys.version_info >= (3, 11):
        keep(groups())
    await settle()
    await forever()


async def no_timeout():
    server = await asyncio.start_server(lambda reader, writer: kept.append(writer), "127.0.0.1", 0)
    kept.append(server)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    kept.append(writer)
    keep(reads(reader))
    await settle()
    await forever()


async def reads(reader):
    await reader.read(100)  # here: no_timeout


async def crowd():
    for _ in range(6000):
        keep(handles_event())
    await settle()
    await forever()


async def handles_event():
    await asyncio.sleep(100000)  # here: crowd


async def communicates():
    until_the_end, writing = os.pipe()
    kept.append(writing)
    leaves = "import os\nif os.fork() == 0: os.read({}, 1)\nos._exit(3)".format(until_the_end)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", leaves, stdout=asyncio.subprocess.PIPE, pass_fds=[until_the_end])
    await child.communicate()  # here: open_pipe


async def open_pipe():
    keep(communicates())
    for _ in range(100):
        await asyncio.sleep(0.01)
    truth.ready()
    await forever()


truth.watch()
asyncio.run(globals()[sys.argv[2]]())
