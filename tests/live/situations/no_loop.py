"""asyncio is imported, and no loop was ever made."""
import asyncio
import threading

import truth


def main():
    truth.ready(tasks=0, loops=0)
    threading.Event().wait()


truth.watch()
main()
del asyncio
