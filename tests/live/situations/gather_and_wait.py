"""gather, nested gather, shield, wait, wait_for and as_completed over tasks that never end."""
import asyncio

import truth


async def leaf():
    await asyncio.Event().wait()


async def gathers():
    await asyncio.gather(leaf(), asyncio.gather(leaf(), leaf()), return_exceptions=True)


async def waits():
    await asyncio.wait([asyncio.ensure_future(leaf()) for _ in range(3)], timeout=100000)


async def waits_for():
    await asyncio.wait_for(leaf(), 100000)


async def shields():
    await asyncio.shield(asyncio.ensure_future(leaf()))


async def takes_first():
    for first in asyncio.as_completed([leaf(), leaf()]):
        await first


async def main():
    work = [asyncio.ensure_future(each()) for each in (gathers, waits, waits_for, shields, takes_first)]
    truth.ready()
    await asyncio.gather(*work)


truth.watch()
asyncio.run(main())
