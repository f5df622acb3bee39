"""Tasks of a subclass, in Python, with attributes and slots of its own."""
import asyncio

import truth


class TracedTask(asyncio.Task):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.note = "mine"


class SlottedTask(asyncio.Task):
    __slots__ = ("extra",)


async def main():
    loop = asyncio.get_running_loop()
    tasks = [kind(asyncio.sleep(100000), loop=loop) for kind in (TracedTask, SlottedTask, TracedTask)]
    truth.ready(tasks=4)
    await asyncio.gather(*tasks)


truth.watch()
asyncio.run(main())
