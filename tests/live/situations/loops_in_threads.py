"""Three loops in threads of their own beside the one of the main thread."""
import asyncio
import threading

import truth

meeting = threading.Barrier(4, action=lambda: truth.ready(tasks=7, loops=4))


async def work(sleepers):
    tasks = [asyncio.ensure_future(asyncio.sleep(100000)) for _ in range(sleepers)]
    meeting.wait()
    await asyncio.gather(*tasks) if tasks else await asyncio.Event().wait()


truth.watch()
for count in range(3):
    threading.Thread(target=lambda n=count: asyncio.run(work(n)), name=f"loop {count}", daemon=True).start()
asyncio.run(work(0))
