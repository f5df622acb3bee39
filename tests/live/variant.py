"""Runs a situation with another implementation of asyncio's parts: variant.py PIPE VARIANT SITUATION [ARGUMENT...]"""
import functools
import runpy
import sys
import threading


def python():
    """Tasks and futures of the pure Python implementation, while the accelerator is there."""
    import asyncio

    asyncio.Task = asyncio.tasks.Task = asyncio.tasks._PyTask
    asyncio.Future = asyncio.futures.Future = asyncio.tasks.futures.Future = asyncio.futures._PyFuture


def no_accelerator():
    """The accelerator can not be imported, as where it was not built."""
    sys.modules["_asyncio"] = None


def eager():
    """Each loop starts tasks eagerly."""
    import asyncio

    make = asyncio.base_events.BaseEventLoop.__init__

    def make_eager(loop):
        make(loop)
        loop.set_task_factory(asyncio.eager_task_factory)

    asyncio.base_events.BaseEventLoop.__init__ = make_eager


def uvloop():
    """Loops are uvloop's. Which thread runs one is not to be seen from Python: it is noted when the loop says so."""
    import asyncio

    threads = {}
    set_loop = asyncio._set_running_loop

    def note(loop):
        set_loop(loop)
        if loop is not None:
            threads[id(loop)] = threading.get_ident()

    asyncio._set_running_loop = asyncio.events._set_running_loop = note
    import truth
    import uvloop

    truth.threads_of_loops = threads
    if sys.version_info >= (3, 12):
        asyncio.run = functools.partial(asyncio.run, loop_factory=uvloop.new_event_loop)
    else:
        uvloop.install()


if __name__ == "__main__":
    pipe, name, program = sys.argv[1:4]
    {"python": python, "no_accelerator": no_accelerator, "eager": eager, "uvloop": uvloop}[name]()
    sys.argv[:] = [program, pipe] + sys.argv[4:]
    runpy.run_path(program, run_name="__main__")
