"""Tasks of a class that has nothing from asyncio's, registered as frameworks do it."""
import asyncio

import truth


class Foreign:
    """The part of a task's interface that others ask for."""

    def __init__(self, coroutine, loop):
        self._coro, self._loop, self._state, self._fut_waiter = coroutine, loop, "PENDING", None
        self._must_cancel, self._callbacks = False, []
        asyncio._register_task(self)

    def get_loop(self):
        return self._loop

    def get_coro(self):
        return self._coro

    def get_name(self):
        return "foreign"

    def done(self):
        return False


async def main():
    loop = asyncio.get_running_loop()
    foreign = [Foreign(asyncio.sleep(100000), loop) for _ in range(3)]
    truth.ready(tasks=4)
    await asyncio.Event().wait()
    del foreign


truth.watch()
asyncio.run(main())
