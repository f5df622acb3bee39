"""A service under load that stalls its event loop in known functions, and keeps an account of every stall: its own clock's.

    stalls.py PIPE LOOP            LOOP is asyncio or uvloop

Orders, one a line on its standard input; at the end of the input it ends:
    probe PID                      from now on the account says how long the threads of that process waited for a processor
    stall KIND WAY SECONDS [TIMES] one stall (or more, in close succession); reports {"stalled": [ENTRY...]} when it is over
    run COUNT SEED LENGTHS         COUNT stalls at random moments, in random functions and ways; LENGTHS is a JSON object (see Lengths).
                                   Reports {"done": N} now and then, and at last {"stalls": [ENTRY...], "gaps": [[BEGIN, END]...]}

An entry has times of CLOCK_MONOTONIC: `begin` and `end` are the first and the last thing that the step does; `before` and `after`
are moments of other steps next to it. So the step is no shorter than end - begin, and no longer than after - before. Wall-clock
times of begin and end are beside them. From `returned` on, the step is only in stalled(), which called the function. `waited` is
how long a thread of the probed process waited for a processor meanwhile, and `stolen` how long the hypervisor had processors that
this machine needed, summed over them. A gap is a time in which the loop did not come round, whatever the reason.
"""
import asyncio
import functools
import gc
import hashlib
import json
import os
import random
import socket
import sys
import tempfile
import threading
import time

import truth

try:
    import sqlite3
except ImportError:
    sqlite3 = None

kept = []
entries = []
gaps = []
probes = []  # descriptors of the schedstat files of somebody's threads
unread = []  # stalls that are over, of which it is not known yet how much time was stolen; and the ticks before
lock = threading.Lock()
lock.acquire()
STAT = os.open("stat", os.O_RDONLY, dir_fd=truth.PROC)
TICKS = os.sysconf("SC_CLK_TCK")  # a second


# The functions that stall ------------------------------------------------------------------------------------------


def sleep_soundly(seconds):
    time.sleep(seconds)


def burn(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def crunch(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(20000))


def receive(seconds):
    """A blocking recv() of what nobody sends; the kernel ends it."""
    ours, others = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, int(seconds).to_bytes(8, "little") + int(seconds % 1 * 1e6).to_bytes(8, "little"))
    try:
        ours.recv(1)
    except BlockingIOError:
        pass
    ours.close()
    others.close()


def take_lock(seconds):
    lock.acquire(timeout=seconds)


def wait_for_thread(seconds):
    """Waits in a function of the standard library: what is to blame is this function."""
    threading.Event().wait(seconds)


def query(seconds):
    """A statement that waits for a lock of the database."""
    connection = sqlite3.connect(kept[0], timeout=seconds)
    try:
        connection.execute("INSERT INTO numbers VALUES (1)")
    except sqlite3.OperationalError:
        pass
    connection.close()


def read_pipe(seconds):
    ours, others = os.pipe()
    writer.later(seconds, others)
    os.read(ours, 1)
    os.close(ours)


def last_of_all(seconds):
    """Like the first, under a name that random stalls do not have."""
    time.sleep(seconds)


KINDS = {each.__name__: each for each in (sleep_soundly, burn, crunch, receive, take_lock, wait_for_thread, read_pipe) + ((query,) if sqlite3 else ())}
WEIGHTS = [1 if name in ("burn", "crunch") else 3 for name in KINDS]  # the processor is others', too
ALL_KINDS = {**KINDS, "last_of_all": last_of_all}


class Writer(threading.Thread):
    """Writes a byte to a pipe some time later."""

    def __init__(self):
        super().__init__(daemon=True)
        self._condition = threading.Condition()
        self._orders = []

    def later(self, seconds, descriptor):
        with self._condition:
            self._orders.append((seconds, descriptor))
            self._condition.notify()

    def run(self):
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._orders)
                seconds, descriptor = self._orders.pop(0)
            time.sleep(seconds)
            os.write(descriptor, b"x")
            os.close(descriptor)


def lock_database():
    folder = tempfile.mkdtemp(prefix="asyncspy-stalls-")
    path = os.path.join(folder, "numbers")
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE numbers (number)")
    holder.execute("BEGIN EXCLUSIVE")
    kept[:0] = [path, holder, folder]


# The account ---------------------------------------------------------------------------------------------------------


def waited_for_processor():
    """Seconds, of every probed thread, that it was ready to run and did not."""
    return [int(os.pread(each, 100, 0).split()[1]) / 1e9 for each in probes]


def watch_threads(pid):
    del probes[:]
    for tid in os.listdir(os.open("{}/task".format(pid), os.O_RDONLY | os.O_DIRECTORY, dir_fd=truth.PROC)):
        probes.append(os.open("{}/task/{}/schedstat".format(pid, tid), os.O_RDONLY, dir_fd=truth.PROC))


def stolen_ticks():
    """How long the hypervisor ran something else, though a processor of this machine had something to run: of all processors."""
    words = os.pread(STAT, 400, 0).split(b"\n")[0].split()  # see proc_stat(5)
    return int(words[8]) if len(words) > 8 else 0


def note_stolen():
    """What runs first after a stall says this for it: at its own end it would be one more thing that its step does. Returns the ticks."""
    now = stolen_ticks()
    for entry, before in unread:
        entry["stolen"] = (now - before + 1) / TICKS if now > before else 0.0  # whole ticks only are told
    del unread[:]
    return now


class Moment:
    """A callback that notes when it ran; until then, when it was made. (Of two timers of uvloop the one that is due first may run last:
    each counts from the millisecond in which it was begun.)"""

    def __init__(self):
        self.time = time.monotonic()

    def __call__(self):
        self.time = time.monotonic()


def stalled(kind, way, seconds, before, loop):
    """One stall, as the step sees it. Returns its entry, which is complete a little later."""
    wall_begin, begin = time.time(), time.monotonic()  # with nothing in between, which could take a while
    waited, stolen = waited_for_processor(), note_stolen()
    entry = {"kind": kind, "way": way, "wall_begin": wall_begin, "waited": 0.0}
    entries.append(entry)
    ALL_KINDS[kind](seconds)
    entry["returned"] = time.monotonic()
    loop.call_soon(note_after, entry)
    # What a thread waits now is only counted when it has got the processor.
    loop.call_later(0.02, note_waited, entry, waited)
    unread.append((entry, stolen))
    entry["begin"], entry["before"] = begin, before.time
    entry["end"] = time.monotonic()
    entry["wall_end"] = time.time()
    return entry


def note_after(entry):
    entry["after"] = time.monotonic()
    note_stolen()


def note_waited(entry, before):
    now = waited_for_processor()
    entry["waited"] = max([b - a for a, b in zip(before, now)], default=0.0) if len(before) == len(now) else 1e9
    entry["complete"] = True


async def all_complete():
    while not all("complete" in each and "after" in each for each in entries):
        await asyncio.sleep(0.005)


# Ways to get into a step ----------------------------------------------------------------------------------------------


async def in_own_task(kind, seconds, times):
    loop = asyncio.get_running_loop()
    for _ in range(times):
        before = Moment()
        loop.call_soon(before)
        await asyncio.sleep(0)  # what comes next is a step of its own
        stalled(kind, "in_own_task", seconds, before, loop)
    await asyncio.sleep(0)


async def request(kind, way, seconds, before, loop):
    stalled(kind, way, seconds, before, loop)


async def in_new_task(kind, seconds, times):
    loop = asyncio.get_running_loop()
    tasks = []
    for _ in range(times):
        before = Moment()
        loop.call_soon(before)
        tasks.append(asyncio.ensure_future(request(kind, "in_new_task", seconds, before, loop)))
    await asyncio.wait(tasks)


async def by_callbacks(schedule, way, kind, seconds, times):
    loop = asyncio.get_running_loop()
    done, left = loop.create_future(), [times]

    def stall(before):
        stalled(kind, way, seconds, before, loop)
        left[0] -= 1
        if not left[0]:
            loop.call_soon(done.set_result, None)

    for _ in range(times):
        before = Moment()
        schedule(loop, before, functools.partial(stall, before))
    await done


def schedule_soon(loop, *callbacks):
    for each in callbacks:
        loop.call_soon(each)


def schedule_later(loop, *callbacks):
    when = loop.time() + random.uniform(0.0005, 0.003)
    for place, each in enumerate(callbacks):
        loop.call_at(when + place * 1e-6, each)


def schedule_from_thread(loop, *callbacks):
    threading.Thread(target=lambda: [loop.call_soon_threadsafe(each) for each in callbacks]).start()


WAYS = {"in_own_task": in_own_task, "in_new_task": in_new_task,
        "by_call_soon": functools.partial(by_callbacks, schedule_soon, "by_call_soon"),
        "by_call_later": functools.partial(by_callbacks, schedule_later, "by_call_later"),
        "by_thread": functools.partial(by_callbacks, schedule_from_thread, "by_thread")}


# Load ----------------------------------------------------------------------------------------------------------------


async def echo(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(line)
        await writer.drain()
    writer.close()


async def ask(port, moments):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        writer.write(b"x" * moments.randrange(10, 2000) + b"\n")
        await asyncio.wait_for(reader.readline(), 30)
        await asyncio.sleep(moments.uniform(0.002, 0.02))


async def wait_for_ever(event):
    await event.wait()


async def make_garbage(moments):
    while True:
        for _ in range(200):
            circle = [None]
            circle[0] = circle
        if moments.random() < 0.2:
            gc.collect()
        await asyncio.sleep(moments.uniform(0.005, 0.05))


def hash_blocks(block):
    while True:
        hashlib.sha256(block).digest()
        time.sleep(0.01)


def count_up():
    while True:
        sum(range(1000))
        time.sleep(0.005)


def tick(loop, last, longest):
    now = time.monotonic()
    if now - last > longest:
        wall = time.time()
        gaps.append([wall - (now - last), wall])
    loop.call_later(0.005, tick, loop, now, longest)


async def begin_load(moments):
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    event = asyncio.Event()
    kept.extend([server, event])
    for _ in range(3):
        kept.append(asyncio.ensure_future(ask(server.sockets[0].getsockname()[1], moments)))
    kept.extend(asyncio.ensure_future(wait_for_ever(event)) for _ in range(20))
    kept.append(asyncio.ensure_future(make_garbage(moments)))
    kept.extend(loop.call_later(moments.uniform(1, 1000), print) for _ in range(50))
    for target, arguments in ((hash_blocks, (bytes(1 << 16),)), (count_up, ())):
        threading.Thread(target=target, args=arguments, daemon=True).start()
    tick(loop, time.monotonic(), 0.03)


# Orders --------------------------------------------------------------------------------------------------------------


class Lengths:
    """Seconds: up to `silent` nothing is to be said of a stall, from `heard` on it is one incident. `pair` is that of stalls in
    close succession, neither of which is to be heard, although both together would be."""

    def __init__(self, silent, heard, pair):
        self.silent, self.heard, self.pair = silent, heard, pair

    def choose(self, moments):
        """The length of a stall, and how many of it follow each other."""
        sort = moments.random()
        if sort < 0.3:
            return moments.uniform(0.1, 0.9) * self.silent, 1
        if sort < 0.45:
            return self.pair, moments.choice((2, 2, 3))
        if sort < 0.55:
            return moments.uniform(self.silent, self.heard), 1
        return self.heard + moments.uniform(0, 1.5) * self.silent, moments.choice((1, 1, 1, 2))


async def run(count, seed, lengths):
    moments = random.Random(seed)
    del entries[:], gaps[:]
    said = 0
    while len(entries) < count:
        seconds, times = lengths.choose(moments)
        kind, = moments.choices(list(KINDS), WEIGHTS)
        await WAYS[moments.choice(list(WAYS))](kind, seconds, times)
        if moments.random() < 0.6:
            await asyncio.sleep(moments.uniform(0, 0.04))
        if len(entries) - said >= 100:
            said = len(entries)
            say({"done": said})
    await all_complete()
    return {"stalls": entries, "gaps": gaps}


async def obey(line):
    order, *words = line.split(None, 3)
    if order == "probe":
        watch_threads(int(words[0]))
        say({"probes": len(probes)})
    elif order == "stall":
        rest = words[2].split()
        first = len(entries)
        await WAYS[words[1]](words[0], float(rest[0]), int(rest[1]) if len(rest) > 1 else 1)
        await all_complete()
        say({"stalled": entries[first:]})
    elif order == "run":
        say(await run(int(words[0]), int(words[1]), Lengths(**json.loads(words[2]))))


def say(value):
    data = (json.dumps(value) + "\n").encode()
    while data:
        data = data[os.write(int(sys.argv[1]), data):]


def follow_input(loop, lines):
    for line in iter(sys.stdin.readline, ""):
        loop.call_soon_threadsafe(lines.put_nowait, line)
    if sqlite3:
        kept[1].close()
        for name in os.listdir(kept[2]):
            os.unlink(os.path.join(kept[2], name))
        os.rmdir(kept[2])
    os._exit(0)


async def main():
    lines = asyncio.Queue()
    await begin_load(random.Random(1))
    threading.Thread(target=follow_input, args=(asyncio.get_running_loop(), lines), daemon=True).start()
    say({"kinds": sorted(KINDS)})
    while True:
        await obey(await lines.get())


if sqlite3:
    lock_database()
writer = Writer()
writer.start()
if sys.argv[2] == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
