"""A service in a container: twenty workers and a heartbeat, until SIGUSR1 makes one coroutine block the loop for good."""
import asyncio
import signal
import time


def read_answer():
    time.sleep(100000)


async def fetch_rate(ordered):
    await ordered.wait()
    read_answer()


async def work(jobs):
    while True:
        await jobs.get()


async def main():
    ordered = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, ordered.set)
    jobs = asyncio.Queue()
    tasks = [asyncio.ensure_future(work(jobs)) for _ in range(20)]
    tasks.append(asyncio.ensure_future(fetch_rate(ordered)))
    print("up", flush=True)
    while True:
        await asyncio.sleep(0.01)


asyncio.run(main())
