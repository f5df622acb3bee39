"""Coroutines whose own names differ from those of their code, and code with unusual files and lines."""
import asyncio

import truth

SOURCE = "\n" * 70000 + "async def far_down(event):\n    await event.wait()\n"


async def plain(event):
    await (
        event
        .wait()
    )


class Outer:
    class Inner:
        async def method(self, event):
            return await event.wait()

        @staticmethod
        async def static(event): await event.wait()  # noqa: E704


async def main():
    event, space = asyncio.Event(), {}
    exec(compile(SOURCE, "<generated \U0001f40d>", "exec"), space)
    renamed = plain(event)
    renamed.__qualname__ = "Renamed.\N{SNAKE}"
    renamed.__name__ = "renamed"

    async def closure():
        await event.wait()

    work = [renamed, plain(event), Outer.Inner().method(event), Outer.Inner.static(event), closure(), space["far_down"](event)]
    tasks = [asyncio.ensure_future(each) for each in work]
    truth.ready(tasks=1 + len(work))
    await asyncio.wait(tasks)


truth.watch()
asyncio.run(main())
