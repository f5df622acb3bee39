"""A task group inside a task group, under a timeout."""
# needs: 3.11
import asyncio

import truth


async def leaf():
    await asyncio.Event().wait()


async def family():
    async with asyncio.TaskGroup() as group:
        group.create_task(leaf(), name="child")
        await leaf()


async def main():
    async with asyncio.timeout(100000), asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(family(), name=f"family {number}")
        truth.ready(tasks=7)


truth.watch()
asyncio.run(main())
