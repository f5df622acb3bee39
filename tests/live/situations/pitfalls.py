"""One known failure of asyncio, chosen by name. The line at which a finding must point is marked with `# here: NAME`.

Written for 3.8 and later. A coroutine `NAME` gets itself into the failure; `settle` are names of those that say themselves when.
"""
import asyncio
import concurrent.futures
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


truth.watch()
asyncio.run(globals()[sys.argv[2]]())
