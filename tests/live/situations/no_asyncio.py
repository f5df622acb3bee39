"""A Python program with two threads that never heard of asyncio."""
import threading

import truth


def worker(event):
    event.wait()


def main():
    event = threading.Event()
    threading.Thread(target=worker, args=(event,), daemon=True).start()
    truth.ready(tasks=0, loops=0)
    event.wait()


truth.watch()
main()
