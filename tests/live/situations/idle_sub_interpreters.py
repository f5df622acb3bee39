"""Three sub-interpreters that run nothing: each has a thread state, and no thread."""
# needs: 3.8
import asyncio

import truth

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters


async def main():
    kept = [interpreters.create() for _ in range(3)]
    task = asyncio.ensure_future(asyncio.sleep(100000))
    truth.ready(tasks=2)
    await task
    del kept


truth.watch()
asyncio.run(main())
