"""A loop of uvloop that waits for nothing but the end of standard input: quiet_uvloop.py PIPE"""
import asyncio
import os
import sys

import uvloop


async def main():
    asyncio.get_running_loop().add_reader(0, os._exit, 0)
    os.write(int(sys.argv[1]), b'{"quiet": true}\n')
    await asyncio.Event().wait()


uvloop.install()
asyncio.run(main())
