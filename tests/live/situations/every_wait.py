"""One task for each kind of wait and each construct, and what the program itself knows of each: `expected` by task name."""
# needs: 3.8 because the tasks are found by their names
import asyncio
import concurrent.futures
import functools
import os
import socket
import subprocess
import sys
import threading

import truth

FAR = 100000  # seconds
expected = {}
kept = []
blocked = threading.Event()
never = threading.Event()


def ident(thing):
    return hex(id(thing))


def start_task(name, coroutine, **facts):
    task = asyncio.ensure_future(coroutine)
    task.set_name(name)
    expected[name] = facts
    kept.append(task)  # asyncio itself only keeps weak references
    return task


async def forever():
    await asyncio.get_running_loop().create_future()


async def holds(lock):
    async with lock:
        await forever()


async def enters(lock):
    async with lock:
        pass


async def acquires(lock):
    await lock.acquire()


async def on_condition(condition, taken):
    async with condition:
        taken.set()
        await condition.wait()


async def in_wait(tasks):
    await asyncio.wait(tasks)


async def in_as_completed(tasks):
    for each in asyncio.as_completed(tasks):
        await each


async def in_gather(tasks):
    await asyncio.gather(*tasks)


async def in_shield(task):
    await asyncio.shield(task)


async def in_wait_for(task):
    await asyncio.wait_for(task, FAR)


async def in_timeout():
    async with asyncio.timeout(FAR):
        async with asyncio.timeout(2 * FAR):
            await forever()


async def in_group(started):
    async with asyncio.TaskGroup() as group:
        started.append(group.create_task(forever(), name="child of group"))


async def awaits(task):
    await task


async def reads(reader):
    await reader.readline()


async def drains(writer):
    writer.write(b"x" * (1 << 24))
    await writer.drain()


async def in_thread(loop, executor, function):
    await loop.run_in_executor(executor, function)


def work():
    blocked.set()
    never.wait()


def queued():
    raise AssertionError("nobody is to run this")


async def main():
    loop = asyncio.get_running_loop()
    start_task("future", forever(), kind="future")
    start_task("sleep", asyncio.sleep(FAR), kind="timer", about=loop.time() + FAR)
    await primitives(loop)
    await constructs(loop)
    await sockets(loop)
    await threads(loop)
    await children()
    await asyncio.sleep(0.2)
    expected["other loop"] = start_other_loop(loop)
    await asyncio.sleep(0.2)  # until all of them have come to where they stay
    truth.ready(expected=expected, loop_time=loop.time(), awaited_by=awaited_by())
    await forever()


async def primitives(loop):
    lock, semaphore, event = asyncio.Lock(), asyncio.Semaphore(2), asyncio.Event()
    holder = start_task("lock holder", holds(lock), kind="future")
    await asyncio.sleep(0)
    waiters = [start_task("lock enters", enters(lock), kind="primitive", primitive="Lock", object=ident(lock)),
               start_task("lock acquires", acquires(lock), kind="primitive", primitive="Lock", object=ident(lock), operation="acquire")]
    lock_facts = dict(facts={"locked": True}, holders=[ident(holder)], certain=True, waiters=[ident(each) for each in waiters])
    expected["lock enters"]["thing"] = expected["lock acquires"]["thing"] = lock_facts
    holders = [start_task("semaphore holder {}".format(i), holds(semaphore), kind="future") for i in range(2)]
    await asyncio.sleep(0)
    waiter = start_task("semaphore", enters(semaphore), kind="primitive", primitive="Semaphore", object=ident(semaphore))
    expected["semaphore"]["thing"] = dict(facts={"value": 0}, holders=sorted(ident(each) for each in holders), certain=True, waiters=[ident(waiter)])
    explicit = asyncio.Lock()
    await explicit.acquire()
    start_task("lock of main", acquires(explicit), kind="primitive", primitive="Lock", object=ident(explicit))
    waiter = start_task("event", event.wait(), kind="primitive", primitive="Event", object=ident(event), operation="wait")
    expected["event"]["thing"] = dict(facts={"set": False}, waiters=[ident(waiter)])
    condition, taken = asyncio.Condition(), asyncio.Event()
    waiter = start_task("condition", on_condition(condition, taken), kind="primitive", primitive="Condition", object=ident(condition), operation="wait")
    expected["condition"]["thing"] = dict(waiters=[ident(waiter)], lock=ident(condition._lock))
    full, empty, joined = asyncio.Queue(1), asyncio.PriorityQueue(7), asyncio.Queue()
    full.put_nowait("item")
    joined.put_nowait("item")
    joined.put_nowait("item")
    waiter = start_task("queue put", full.put("more"), kind="primitive", primitive="Queue", object=ident(full), operation="put")
    expected["queue put"]["thing"] = dict(facts={"size": 1, "maxsize": 1, "unfinished_tasks": 1, "getters": 0, "putters": 1}, waiters=[ident(waiter)])
    waiters = [start_task("queue get {}".format(i), empty.get(), kind="primitive", primitive="Queue", object=ident(empty), operation="get") for i in range(3)]
    for i in range(3):
        expected["queue get {}".format(i)]["thing"] = dict(facts={"size": 0, "maxsize": 7, "unfinished_tasks": 0, "getters": 3, "putters": 0},
                                                            waiters=[ident(each) for each in waiters])
    waiter = start_task("queue join", joined.join(), kind="primitive", primitive="Queue", object=ident(joined), operation="join")
    expected["queue join"]["thing"] = dict(facts={"size": 2, "unfinished_tasks": 2}, waiters=[ident(waiter)])
    if hasattr(asyncio, "Barrier"):
        barrier = asyncio.Barrier(3)
        start_task("barrier", barrier.wait(), kind="primitive", primitive="Barrier", object=ident(barrier), operation="wait",
                   thing=dict(facts={"parties": 3, "count": 1}))
    main.keeps = (lock, semaphore, event, explicit, condition, full, empty, joined)


async def constructs(loop):
    inner = start_task("inner", forever(), kind="future")
    start_task("awaits", awaits(inner), kind="task", task=ident(inner), construct="await")
    start_task("shield", in_shield(inner), kind="task", task=ident(inner), construct="shield")
    children = [start_task("gathered {}".format(i), forever(), kind="future") for i in range(3)]
    done = loop.create_future()
    done.set_result(None)
    start_task("gather", in_gather(children + [done]), kind="many", construct="gather", pending=3, total=4, tasks=sorted(map(ident, children)))
    start_task("wait", in_wait(set(children)), kind="many", construct="wait", pending=3, total=3, tasks=sorted(map(ident, children)))
    start_task("as_completed", in_as_completed(children[:2]), kind="many", construct="as_completed", pending=2, tasks=sorted(map(ident, children[:2])))
    deadline = dict(about=loop.time() + FAR)
    waited = start_task("waited for", forever(), kind="future")
    start_task("wait_for", in_wait_for(waited), kind="task", task=ident(waited), deadline=deadline)
    if hasattr(asyncio, "timeout"):
        start_task("timeout", in_timeout(), kind="future", deadline=dict(about=loop.time() + FAR, construct="asyncio.timeout"))
        started = []
        group = start_task("group", in_group(started), kind="many", construct="TaskGroup", pending=1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        expected["group"]["tasks"] = [ident(started[0])]
        del group


async def sockets(loop):
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen()
    port = silent.getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    local = writer.get_extra_info("sockname")[1]
    number = writer.get_extra_info("socket").fileno()
    socket_facts = dict(number=number, protocol="tcp", local="127.0.0.1:{}".format(local), peer="127.0.0.1:{}".format(port), tcp_state="ESTABLISHED")
    start_task("reader", reads(reader), kind="primitive", primitive="StreamReader", object=ident(reader), operation="readline",
               thing=dict(facts={"buffered": 0, "eof": False, "tls": False}, descriptor=number), descriptor=socket_facts)
    reader2, writer2 = await asyncio.open_connection("127.0.0.1", port)
    number = writer2.get_extra_info("socket").fileno()
    start_task("drain", drains(writer2), kind="primitive", operation="drain", thing=dict(descriptor=number),
               descriptor=dict(number=number, peer="127.0.0.1:{}".format(port), tcp_state="ESTABLISHED"))
    plain = socket.socket()
    plain.setblocking(False)
    await loop.sock_connect(plain, ("127.0.0.1", port))
    start_task("sock_recv", loop.sock_recv(plain, 10), kind="descriptor", operation="sock_recv", fd=plain.fileno(),
               descriptor=dict(number=plain.fileno(), peer="127.0.0.1:{}".format(port), tcp_state="ESTABLISHED"))
    listening = socket.socket()
    listening.setblocking(False)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    start_task("sock_accept", loop.sock_accept(listening), kind="descriptor", operation="sock_accept", fd=listening.fileno(),
               descriptor=dict(number=listening.fileno(), tcp_state="LISTEN", local="127.0.0.1:{}".format(listening.getsockname()[1])))
    server = await asyncio.start_server(lambda reader, writer: forever(), "127.0.0.1", 0)
    start_task("server", server.serve_forever(), kind="primitive", primitive="Server", object=ident(server), operation="serve_forever")
    reading, writing = os.pipe()
    pipe_reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(pipe_reader), os.fdopen(reading, "rb"))
    start_task("pipe", reads(pipe_reader), kind="primitive", primitive="StreamReader", thing=dict(descriptor=reading),
               descriptor=dict(number=reading, kind="pipe"))
    sockets.keeps = (silent, writer, writer2, reader2, plain, listening, server, writing)


async def threads(loop):
    executor = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="pool")
    ids = []

    def first():
        ids.append(truth.own_tid())
        work()

    start_task("job running", in_thread(loop, executor, first), kind="job")
    while not blocked.is_set():
        await asyncio.sleep(0.01)
    for i in range(2):
        start_task("job queued {}".format(i), in_thread(loop, executor, functools.partial(queued)), kind="job")
        await asyncio.sleep(0)
    expected["job running"]["job"] = dict(state="running", tid=ids[0], function="threads.<locals>.first", workers=1, busy=1, queued=2,
                                           executor=ident(executor), executor_type="ThreadPoolExecutor")
    for i in range(2):
        expected["job queued {}".format(i)]["job"] = dict(state="queued", function="queued", ahead=i, queued=2, workers=1, busy=1, executor=ident(executor))
    if hasattr(asyncio, "to_thread"):
        blocked.clear()
        start_task("to_thread", asyncio.to_thread(work), kind="job", job=dict(state="running", function="work", busy=1))
        while not blocked.is_set():
            await asyncio.sleep(0.01)
    threads.keeps = executor


async def children():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    start_task("child", child.wait(), kind="process", pid=child.pid, operation="wait", child=dict(pid=child.pid, state="S"))
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    stream = start_task("child output", other.stdout.readline(), kind="primitive", primitive="StreamReader", operation="readline")
    children.keeps = (child, other, stream)


def awaited_by():
    """Who waits for each task of this loop, as the accelerator keeps it from 3.14 on; ids."""
    found = {}
    for task in asyncio.all_tasks():
        waiters = getattr(task, "_asyncio_awaited_by", None)
        if waiters is not None:
            found[ident(task)] = sorted(ident(each) for each in waiters)
    return found


def start_other_loop(loop):
    """A second loop whose task waits for a coroutine of the first."""
    facts = dict(kind="task", construct="run_coroutine_threadsafe", named="submitted")

    async def submitted():
        asyncio.current_task().set_name("submitted")
        await forever()

    async def waits():
        asyncio.current_task().set_name("other loop")
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(submitted(), loop))

    threading.Thread(target=asyncio.run, args=(waits(),), daemon=True).start()
    return facts


truth.watch()
asyncio.run(main())
