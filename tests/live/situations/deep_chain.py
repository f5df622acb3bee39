"""One coroutine that awaits another, two hundred levels deep."""
import asyncio

import truth


async def descend(levels):
    if levels == 0:
        truth.ready(tasks=1, links=202)
        await asyncio.Event().wait()
    else:
        await descend(levels - 1)


truth.watch()
asyncio.run(descend(200))
