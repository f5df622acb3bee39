"""Three tasks that await each other in a ring, and one that awaits the ring."""
import asyncio

import truth


async def follow(ring, place):
    await ring[(place + 1) % 3]


async def main():
    ring = []
    ring.extend(asyncio.ensure_future(follow(ring, place)) for place in range(3))
    truth.ready(tasks=4)
    await ring[0]


truth.watch()
asyncio.run(main())
