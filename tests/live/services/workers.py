"""A parent without a loop that forks workers, each with a loop of its own: workers.py PIPE

Orders, one a line: `fork` makes one more and reports its pid, `end PID` kills one and reports that it is gone. A worker
that gets SIGUSR1 blocks its loop for a moment. All end with the parent, and it with its standard input.
"""
import asyncio
import json
import os
import signal
import sys
import threading
import time

children = set()


def say(**facts):
    os.write(int(sys.argv[1]), (json.dumps(facts) + "\n").encode())


def block_worker():
    time.sleep(0.5)


def end_with(descriptor):
    os.read(descriptor, 1)
    os._exit(0)


async def work():
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, block_worker)
    say(worker=os.getpid())
    while True:
        await asyncio.sleep(0.01)


def become_worker(reading, writing):
    os.close(writing)
    threading.Thread(target=end_with, args=(reading,), daemon=True).start()
    asyncio.run(work())


def main():
    reading, writing = os.pipe()
    say(parent=os.getpid())
    for line in iter(sys.stdin.readline, ""):
        order, *words = line.split()
        if order == "fork":
            pid = os.fork()
            if pid == 0:
                become_worker(reading, writing)
            children.add(pid)
        elif order == "end":
            os.kill(int(words[0]), signal.SIGKILL)
            os.waitpid(int(words[0]), 0)
            say(ended=int(words[0]))


main()
