"""Two tasks, each of which holds the lock that the other one wants."""
import asyncio

import truth


async def take(first, second, met):
    async with first:
        met.append(1)
        while len(met) < 2:
            await asyncio.sleep(0)
        async with second:
            pass


async def main():
    a, b, met = asyncio.Lock(), asyncio.Lock(), []
    tasks = [asyncio.ensure_future(take(a, b, met)), asyncio.ensure_future(take(b, a, met))]
    truth.ready(tasks=3)
    await asyncio.gather(*tasks)


truth.watch()
asyncio.run(main())
