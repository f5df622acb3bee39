"""Threads in C below Python, and in Python below C: a ctypes callback, sqlite3, select, time.sleep, a lock.

The promise says for each thread, outermost first, which Python functions and which libraries are on its stack from its own
entry function on: "py NAME" or "c BEGINNING OF THE FILE'S NAME", several of them with "or" between.
"""
import asyncio
import ctypes
import select
import sqlite3
import threading
import time

import truth

LOCK = threading.Lock()
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
STACKS = {}
started = threading.Semaphore(0)


def start(entry, *stack):
    def run():
        STACKS[truth.own_tid()] = ["py " + entry.__name__, *stack]
        started.release()
        entry()

    threading.Thread(target=run, daemon=True).start()
    started.acquire()


def sleeps():
    time.sleep(100000)


def selects():
    select.select([], [], [], 100000)


def locks():
    LOCK.acquire()


def asks_database():
    connection = sqlite3.connect(":memory:")
    connection.create_function("answer", 0, answers)
    connection.execute("select answer()").fetchone()


def answers():
    return sorted([1, 2], key=compares)


def compares(_):
    with LOCK:
        pass


def called_back(_):
    time.sleep(100000)
    return 0


KEPT = CALLBACK(called_back)


def calls_back():
    return KEPT(1)


async def main():
    await outer()


async def outer():
    sorted([1, 2], key=lambda each: calls_back())


LOCK.acquire()
start(sleeps, "c libc.so")
start(selects, "c libc.so")
start(locks, "c libc.so")
start(asks_database, "c libsqlite3", "py answers", "py compares", "c libc.so")
STACKS[truth.own_tid()] = ["py main", "py outer", "py <lambda>", "py calls_back", "c libffi or _ctypes", "py called_back", "c libc.so"]
truth.watch()
truth.ready(stacks=STACKS)
asyncio.run(main())
