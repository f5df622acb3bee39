"""Tasks that are started all the time and never end. Ends with its input."""
import asyncio
import os
import sys
import threading

kept = []


async def handle(event):
    await event.wait()  # here


async def main():
    event = asyncio.Event()
    while True:
        kept.append(asyncio.ensure_future(handle(event)))
        if len(kept) == 50:
            os.write(int(sys.argv[1]), b"{}\n")
        await asyncio.sleep(0.001)


def exit_with_input():
    os.read(0, 1)
    os._exit(0)


threading.Thread(target=exit_with_input, daemon=True).start()
asyncio.run(main())
