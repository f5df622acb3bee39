"""The target's own account of itself, to hold against what asyncspy reads from outside.

A situation imports this module, calls `watch()` before its loop runs and `ready()` as the last thing that it does before
it waits or blocks. A separate thread then proves that the process came to rest, says so on the pipe whose number is the first
argument, and waits for orders on standard input: a byte asks for the account, the byte `v` for one with the variables of all
frames, the end of input ends the process. The
test looks at the process *before* it asks, because some answers change what they report: the name of a
task, for instance, is only made into text when somebody asks for it.

Runs on Python 3.7 to 3.15 and imports nothing that a situation may want absent, asyncio least of all. Where there is no /proc,
TRUTH_PROC is the number of a descriptor that is open for one.
"""
import gc
import json
import os
import sys
import threading
import time
import types

LONGEST_CHAIN = 100000
REST_SECONDS = 0.012  # longer than the interval (5 ms) at which a thread that wants the interpreter lock wakes up

# Links of an await chain that have no frame of their own and lead to one that has.
LEADING_ON = ("async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "anext_awaitable")

PROC = int(os.environ["TRUTH_PROC"]) if "TRUTH_PROC" in os.environ else os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)

threads_of_loops = {}  # thread by the id of the loop, for loops that do not tell

_ready = threading.Event()
_with_variables = threading.Event()
_promise = {}
_spinning = set()


def watch():
    """Starts the thread that reports. To be called once, by the main thread, before it starts threads of its own."""
    if sys.version_info < (3, 8):
        threading.Thread._set_ident = _set_ident
    threading.Thread(target=_serve, name="truth", daemon=True).start()


def _set_ident(thread):
    """What threading does in every new thread, and what it does from 3.8 on."""
    thread._ident = threading.get_ident()
    thread.native_id = own_tid()


def ready(spinning=(), **promise):
    """Says that nothing more is going to happen. `spinning` names threads that will never sleep, by native id;
    `promise` is what the situation knows of itself, such as the number of its tasks."""
    _promise.update(promise)
    _spinning.update(spinning)
    _ready.set()


def own_tid():
    return int(os.readlink("thread-self", dir_fd=PROC).rsplit("/", 1)[1])


def _serve():
    out = int(sys.argv[1])
    tid = own_tid()
    _ready.wait()
    _await_rest(tid)
    _say(out, {"pid": os.getpid(), "reporter": tid, "monotonic": time.monotonic(), "promise": _promise})
    order = os.read(0, 1)
    while order:
        _with_variables.clear() if order != b"v" else _with_variables.set()
        _say(out, account(tid))
        order = os.read(0, 1)
    os._exit(0)


def _say(out, value):
    data = (json.dumps(value) + "\n").encode()
    while data:
        data = data[os.write(out, data):]


def _await_rest(own):
    """Returns when every other thread has slept through a whole interval, without one context switch. Such a thread
    waits in a system call and not for the interpreter lock, and as all of them do, nothing will wake them."""
    before = None
    while True:
        now = _activity(own)
        if now is not None and now == before:
            return
        before = now
        time.sleep(REST_SECONDS)


def _activity(own):
    """Context switches by thread, or None when a thread is awake or just ended."""
    counts = {}
    folder = os.open("self/task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=PROC)
    names = os.listdir(folder)
    os.close(folder)
    for name in names:
        if int(name) == own or int(name) in _spinning:
            continue
        try:
            with open(os.open("self/task/%s/status" % name, os.O_RDONLY, dir_fd=PROC)) as file:
                fields = dict(line.split(":", 1) for line in file if ":" in line)
        except (FileNotFoundError, ProcessLookupError):
            return None
        if fields["State"].split()[0] != "S":
            return None
        counts[name] = (fields["voluntary_ctxt_switches"], fields["nonvoluntary_ctxt_switches"])
    return counts


# The account --------------------------------------------------------------------------------------------------------


def account(reporter):
    asyncio = sys.modules.get("asyncio")
    owners = _owners_of_frames()
    threads = _threads(reporter, owners)
    result = {"asyncio": asyncio is not None, "threads": threads, "loops": [], "tasks": []}
    if asyncio is not None:
        tasks = _all_tasks(asyncio, _open_loops(asyncio))
        loops = _all_loops(asyncio, tasks)
        result["loops"] = [_loop(asyncio, loop, threads) for loop in loops]
        result["tasks"] = [_task(asyncio, task, owners, tasks) for task in tasks]
    result["monotonic"] = time.monotonic()
    return result


def text(value):
    """A string as asyncspy writes it: half a surrogate pair becomes visible text."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def _owners_of_frames():
    """The coroutine or generator of each frame, by the frame's id."""
    owners = {}
    for thing in gc.get_objects():
        frame = _frame_of(thing)
        if frame is not None:
            owners[id(frame)] = (thing, frame)  # the frame too, so that the id stays its own
    return owners


def _frame_of(thing):
    kind = type(thing)
    if kind is types.CoroutineType:
        return thing.cr_frame
    if kind is types.GeneratorType:
        return thing.gi_frame
    if kind is types.AsyncGeneratorType:
        return thing.ag_frame
    return None


KINDS = {types.CoroutineType: "coroutine", types.GeneratorType: "generator", types.AsyncGeneratorType: "async_generator"}


def _link(frame, thing, running):
    code = frame.f_code
    name = thing.__qualname__ if thing is not None else getattr(code, "co_qualname", code.co_name)
    return {"kind": KINDS.get(type(thing), "function"), "function": text(name), "name": text(code.co_name),
            "file": text(code.co_filename), "line": frame.f_lineno, "running": running,
            "object": None if thing is None else hex(id(thing)),
            "variables": _variables(frame) if _with_variables.is_set() else None}


def _variables(frame):
    """The variables of a function that are bound, with the repr() of those for which repr() is the only thing to say."""
    optimized = 1  # co_flags: the variables have places of their own, as in functions
    return {text(name): repr(value) if _is_plain(value) else None for name, value in list(frame.f_locals.items())
            if frame.f_code.co_flags & optimized}


def _is_plain(value):
    if type(value) in (str, bytes):
        return len(value) <= 100 and all(32 <= ord(each) < 127 for each in (value if type(value) is str else value.decode("latin-1")))
    return value is None or type(value) in (bool, float) or (type(value) is int and abs(value) < 2**270)


def _stack(frame, owners, outermost=None):
    """Running frames from the outermost (or from the frame `outermost`) inwards."""
    links = []
    while frame is not None:
        owner = owners.get(id(frame))
        links.append(_link(frame, owner and owner[0], True))
        if frame is outermost:
            break
        frame = frame.f_back
    return links[::-1]


def _threads(reporter, owners):
    native = {ident: getattr(thread, "native_id", None) for ident, thread in list(threading._active.items())}
    native[threading.main_thread().ident] = os.getpid()
    return [{"tid": native.get(ident), "ident": ident, "spinning": native.get(ident) in _spinning,
             "stack": _stack(frame, owners)}
            for ident, frame in sys._current_frames().items() if native.get(ident) != reporter
            and ident != threading.get_ident()]


def _open_loops(asyncio):
    return [thing for thing in gc.get_objects() if issubclass(type(thing), asyncio.BaseEventLoop) and not thing.is_closed()]


def _all_tasks(asyncio, loops):
    """Every task that still exists, done ones included, where the release keeps them in a set."""
    found = {id(task): task for loop in loops for task in asyncio.all_tasks(loop)}
    for name in ("_all_tasks", "_scheduled_tasks", "_eager_tasks"):
        for task in list(getattr(asyncio.tasks, name, ())):
            found[id(task)] = task
    if sys.version_info >= (3, 14):  # lists inside the interpreter, which hold the pending ones
        for task in [thing for thing in gc.get_objects() if issubclass(type(thing), asyncio.Task) and not thing.done()]:
            found[id(task)] = task
    return list(found.values())


def _all_loops(asyncio, tasks):
    found = {id(loop): loop for loop in _open_loops(asyncio) + [task.get_loop() for task in tasks]}
    return list(found.values())


def _ident(loop):
    return getattr(loop, "_thread_id", None) or threads_of_loops.get(id(loop))


def _current_task(asyncio, loop):
    """Tasks of the Python implementation are unknown to the accelerator from 3.14 on."""
    known = [asyncio.tasks.current_task, getattr(asyncio.tasks, "_py_current_task", None)]
    return next((task for task in [look(loop) for look in known if look] if task is not None), None)


def _loop(asyncio, loop, threads):
    """What the loop keeps is None where Python can not see it."""
    current = _current_task(asyncio, loop)
    thread = next((each for each in threads if each["ident"] == _ident(loop)), None) if loop.is_running() else None
    seen = hasattr(loop, "_ready")
    return {"id": hex(id(loop)), "type": type(loop).__name__, "running": loop.is_running(),
            "thread": thread and thread["tid"], "state": _loop_state(thread),
            "current_task": None if current is None else hex(id(current)), "ready": len(loop._ready) if seen else None,
            "timers": [{"handle": hex(id(timer)), "deadline": timer._when, "cancelled": timer._cancelled}
                       for timer in loop._scheduled] if seen else None,
            "descriptors": sorted(loop._selector.get_map()) if seen else None, "debug": loop.get_debug()}


def _loop_state(thread):
    if thread is None:
        return "not_running"
    innermost = thread["stack"][-1]
    # The second: a loop written in C waits without a frame of its own.
    if (innermost["name"], os.path.basename(innermost["file"])) in (("select", "selectors.py"), ("run", "runners.py")):
        return "idle"
    return "running" if thread["spinning"] else "blocked"


def _coroutine(task):
    return task.get_coro() if hasattr(task, "get_coro") else task._coro


def _executing_stack(frame, owners, coroutine, tasks):
    """The frames from the coroutine's inwards, as far as they are its task's: a task that it started may follow."""
    others = {hex(id(_coroutine(task))) for task in tasks}
    links = _stack(frame, owners, _frame_of(coroutine))
    own = 1
    while own < len(links) and links[own]["object"] not in others:
        own += 1
    return links[:own]


def _task(asyncio, task, owners, tasks):
    loop = task.get_loop()
    running = _current_task(asyncio, loop) is task
    coroutine = _coroutine(task)
    if running or getattr(coroutine, "cr_running", False) or getattr(coroutine, "gi_running", False):
        chain = _executing_stack(sys._current_frames()[_ident(loop)], owners, coroutine, tasks)
    else:
        chain = await_chain(coroutine)
    waiter = task._fut_waiter
    named = hasattr(task, "get_name") and asyncio.isfuture(task)  # what another class may answer is not kept anywhere
    return {"id": hex(id(task)), "name": text(task.get_name()) if named else None,
            "state": task._state.lower(), "running": running, "loop": hex(id(loop)), "type": type(task).__name__,
            "stack": chain, "awaited": None if waiter is None else hex(id(waiter)), "must_cancel": task._must_cancel,
            "cancel_requests": task.cancelling() if hasattr(task, "cancelling") else None,
            "callbacks": len(task._callbacks or ())}


def await_chain(first):
    """What a suspended coroutine waits in, outermost first."""
    links = []
    seen = set()
    thing = first
    while thing is not None and id(thing) not in seen and len(links) < LONGEST_CHAIN:
        seen.add(id(thing))
        frame = _frame_of(thing)
        if type(thing) in KINDS:
            if frame is None:  # finished
                break
            links.append(_link(frame, thing, False))
            thing = _awaited_by(thing)
        else:
            link, thing = _frameless(thing)
            if link is not None:
                links.append(link)
    return links


def _awaited_by(thing):
    if type(thing) is types.CoroutineType:
        return thing.cr_await
    if type(thing) is types.GeneratorType:
        return thing.gi_yieldfrom
    return thing.ag_await


def _frameless(thing):
    kind = type(thing)
    if kind.__name__ == "FutureIter" or hasattr(kind, "_asyncio_future_blocking"):
        return None, None  # the future itself, reported as `awaited`
    link = {"kind": "opaque", "type": kind.__name__, "object": hex(id(thing)), "running": False}
    if hasattr(kind, "cr_await") or hasattr(kind, "gi_yieldfrom"):  # a coroutine written in Cython
        return link, getattr(thing, "cr_await", None) or getattr(thing, "gi_yieldfrom", None)
    if kind.__name__ not in LEADING_ON:
        return link, None
    following = [each for each in gc.get_referents(thing) if type(each) in KINDS or type(each).__name__ in LEADING_ON
                 or hasattr(type(each), "cr_await")]
    return link, (following[0] if following else None)
