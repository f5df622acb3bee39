"""A loop at rest, and a thread that sleeps uninterruptibly: in vfork, until its child has ended.

The child shares the memory and does one thing only: it reads a byte. So it is written in machine code.
"""
import asyncio
import ctypes
import json
import mmap
import os
import sys
import threading

# vfork(); in the child: read(rdi, rsp - 64, 1), exit(0); in the parent: return
CODE = bytes.fromhex(
    "b83a000000"      # mov eax, 58 (vfork)
    "5e"              # pop rsi: the child overwrites what the return address lies in
    "0f05"            # syscall
    "56"              # push rsi
    "85c0"            # test eax, eax
    "7401"            # jz child
    "c3"              # ret
    "488d7424c0"      # child: lea rsi, [rsp - 64]
    "ba01000000"      # mov edx, 1
    "31c0"            # xor eax, eax (read)
    "0f05"            # syscall
    "b83c000000"      # mov eax, 60 (exit)
    "31ff"            # xor edi, edi
    "0f05")           # syscall


def fork_and_sleep(function, descriptor):
    function(descriptor)


def run_thread(function, reading, out):
    say(out, {"sleeper": threading.get_native_id()})
    fork_and_sleep(function, reading)
    os.wait()
    say(out, {"child_ended": True})


def say(out, value):
    os.write(out, (json.dumps(value) + "\n").encode())


def pass_on(writing):
    """A byte of standard input is for the child; its end ends the process."""
    while True:
        data = os.read(0, 1)
        if not data:
            os._exit(0)
        os.write(writing, data)


async def main(function, reading, out):
    tasks = [asyncio.ensure_future(asyncio.sleep(100000)) for _ in range(20)]
    await asyncio.sleep(0)
    threading.Thread(target=run_thread, args=(function, reading, out), daemon=True).start()
    await asyncio.wait(tasks)


if __name__ == "__main__":
    place = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    place.write(CODE)
    function = ctypes.CFUNCTYPE(None, ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(place)))
    reading, writing = os.pipe()
    threading.Thread(target=pass_on, args=(writing,), daemon=True).start()
    asyncio.run(main(function, reading, int(sys.argv[1])))
