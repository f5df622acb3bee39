"""A task that blocks its thread while it is inside `async with` of a lock that no local variable names; another waits for it."""
import asyncio
import time

import truth


class Account:
    def __init__(self):
        self.lock = asyncio.Lock()

    async def transfer(self):
        async with self.lock:
            for _ in range(3):
                await asyncio.sleep(0)
            truth.ready(lock=hex(id(self.lock)))
            time.sleep(100000)

    async def close(self):
        async with self.lock:
            pass


async def main():
    account = Account()
    first = asyncio.ensure_future(account.transfer())
    await asyncio.sleep(0)
    await asyncio.gather(first, account.close())


truth.watch()
asyncio.run(main())
