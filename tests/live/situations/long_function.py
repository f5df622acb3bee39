"""Suspension points all over a function of thousands of lines, in handlers, in long calls and on one line."""
import asyncio

import truth

HEAD = "async def long(event, stop):\n"
STEP = ("    if stop == {0}:\n"
        "        try:\n"
        "            raise ValueError\n"
        "        except ValueError:\n"
        "            print(end='', sep=''.join([\n"
        "                'a' * 2000 * 0,\n"
        "\n"
        "                str(await event.wait()),\n"
        "            ]))\n"
        "    x{0} = [{0}, stop]; y{0} = {{'k': x{0}}}\n")
STEPS = 400


async def main():
    event, space = asyncio.Event(), {}
    exec(compile(HEAD + "".join(STEP.format(number) for number in range(STEPS)), "long.py", "exec"), space)
    stops = [0, 1, 99, 200, 398, 399]
    tasks = [asyncio.ensure_future(space["long"](event, stop)) for stop in stops]
    truth.ready(tasks=1 + len(stops))
    await asyncio.wait(tasks)


truth.watch()
asyncio.run(main())
