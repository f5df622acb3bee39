"""Task names that a terminal, a decoder or a buffer could trip over."""
# needs: 3.8
import asyncio

import truth

NAMES = ["", " ", "Grüße", "\u0416\u4e2d", "\U0001f40d snake", "\x1b]0;evil\x07\x1b[31m", "two\nlines\ttab\r", "nul \0 inside", "\u202egnp.exe",
         "x" * 5000, "é" * 5000, "\U0001f40d" * 1000, "lone \udc80 surrogate", "\ud83d", "\x7f\x80\x9b", 'quote " back \\', "\ufeffbom"]


async def main():
    tasks = [asyncio.ensure_future(asyncio.sleep(100000)) for _ in NAMES]
    for task, name in zip(tasks, NAMES):
        task.set_name(name)
    truth.ready(tasks=1 + len(NAMES))
    await asyncio.wait(tasks)


truth.watch()
asyncio.run(main())
