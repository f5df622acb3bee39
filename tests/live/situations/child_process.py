"""Waits for a child process and for its output."""
import asyncio
import subprocess
import sys

import truth


async def main():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    tasks = [asyncio.ensure_future(each) for each in (child.wait(), child.stdout.readline())]
    truth.ready(tasks=3)
    await asyncio.gather(*tasks)


truth.watch()
asyncio.run(main())
