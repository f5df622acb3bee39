"""Tasks that wait for threads: one job runs in the default executor, three more are queued behind it."""
import asyncio
import concurrent.futures
import threading

import truth


def job():
    threading.Event().wait()


async def main():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(1))
    jobs = [loop.run_in_executor(None, job) for _ in range(4)]
    truth.ready(tasks=1)
    await asyncio.gather(*jobs)


truth.watch()
asyncio.run(main())
