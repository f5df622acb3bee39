"""Tasks that are handling exceptions, that ended in every way, and that have context variables. Argument `debug`: debug mode."""
# needs: 3.8
import asyncio
import contextvars
import sys
import traceback

import truth

request_id = contextvars.ContextVar("request_id")
auth_token = contextvars.ContextVar("auth_token")
many = [contextvars.ContextVar("many_{}".format(number)) for number in range(3000)]
expected = {}


class ExitAwaits:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        handles(0)
        await asyncio.sleep(100000)


def type_name(kind):
    return kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__


def current_task():
    """Tasks of the Python implementation are unknown to the accelerator from 3.14 on."""
    return asyncio.current_task() or asyncio.tasks._py_current_task()


def handles(frame):
    """To be called within a handler of the task's frame number `frame`."""
    error = sys.exc_info()[1]
    text = type_name(type(error)) + (": " + str(error) if str(error) else "")
    expected.setdefault(current_task().get_name(), []).append([frame, text, isinstance(error, asyncio.CancelledError)])


async def stubborn():
    try:
        await asyncio.sleep(100000)
    except asyncio.CancelledError:
        handles(0)
        await clean_up()


async def clean_up():
    await asyncio.sleep(100000)


async def finishes():
    try:
        raise ValueError("boom \x1b[31m")
    finally:
        handles(0)
        await asyncio.sleep(100000)


async def within():
    try:
        raise KeyError("outer")
    except KeyError:
        handles(0)
        await handles_more()


async def handles_more():
    try:
        raise OSError(2, "inner")
    except OSError:
        handles(1)
        await asyncio.sleep(100000)


async def exits():
    async with ExitAwaits():
        raise LookupError()


async def left_behind():
    try:
        raise ValueError("over")
    except ValueError:
        pass
    await asyncio.sleep(100000)


async def raises():
    raise ValueError("as intended")


async def raises_deep():
    descend(50)


def descend(levels):
    if levels == 0:
        raise ValueError("deep")
    descend(levels - 1)


async def returns():
    return {"user": "bob", "password": "hunter2"}


async def handler(number):
    request_id.set("r-{}".format(number))
    auth_token.set("hunter{}".format(number))
    for variable in many if number == 0 else ():
        variable.set(number)
    await asyncio.sleep(100000)


def places(frames):
    return [[frame.name, frame.filename, frame.lineno] for frame in frames or ()]


def facts_of(task):
    coroutine = task.get_coro()
    error = task._exception
    return {"raised_at": places(error and traceback.extract_tb(error.__traceback__)), "handling": expected.get(task.get_name(), []), "created_at": places(task._source_traceback),
            "coroutine_origin": [list(each[::-1][:1]) + list(each[:2]) for each in reversed(coroutine.cr_origin or ())]}


async def main():
    names = ["stubborn", "finishes", "within", "exits", "left_behind", "raises", "raises_unheard", "returns", "raises_deep"]
    coroutines = [stubborn(), finishes(), within(), exits(), left_behind(), raises(), raises(), returns(), raises_deep()] + [handler(number) for number in range(20)]
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    for number, task in enumerate(tasks):
        task.set_name(names[number] if number < len(names) else "handler-{}".format(number - len(names)))
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[5].add_done_callback(lambda task: task.exception())
    for _ in range(3):
        await asyncio.sleep(0)
    truth.ready(tasks=26, facts={task.get_name(): facts_of(task) for task in tasks}, many=len(many))
    await asyncio.sleep(100000)


truth.watch()
asyncio.run(main(), debug="debug" in sys.argv)
