"""Pairs of tasks that pass one token to and fro through two queues: "p<pair>.<side>".

Arguments: the descriptor to report on, pairs. As the token is in one queue or in one hand, never do both wait for it.
"""
import asyncio
import json
import os
import sys
import threading


async def play(inbox, outbox):
    while True:
        token = await inbox.get()
        await asyncio.sleep(0)
        outbox.put_nowait(token)


async def main(out, pairs):
    tasks = []
    for number in range(pairs):
        first, second = asyncio.Queue(), asyncio.Queue()
        first.put_nowait("token")
        for side, queues in (("a", (first, second)), ("b", (second, first))):
            tasks.append(asyncio.ensure_future(play(*queues)))
            tasks[-1].set_name("p{}.{}".format(number, side))
    await asyncio.sleep(0)
    os.write(out, (json.dumps({"pairs": pairs, "pid": os.getpid()}) + "\n").encode())
    await asyncio.gather(*tasks)


def exit_with_input():
    os.read(0, 1)
    os._exit(0)


threading.Thread(target=exit_with_input, daemon=True).start()
asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
