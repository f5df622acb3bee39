"""Timers whose moments are whole numbers, very far away, before the machine started, or cancelled."""
import asyncio

import truth


class Seconds(float):
    pass


def at(loop, moment):
    return loop.call_at(moment, print)


async def main():
    loop = asyncio.get_running_loop()
    handles = [at(loop, moment) for moment in (10**9, 2**40, 1e15, 1e300, Seconds(12345678.9), 10**9, True + 10**9)]
    handles.append(at(loop, 20**9))
    handles[-1].cancel()
    truth.ready(tasks=1)
    await asyncio.Event().wait()


truth.watch()
asyncio.run(main())
