"""Which packages of the distribution an interpreter can import, and how it finds them."""
import functools
import os
import subprocess

from target import HERE

PACKAGES = "/usr/lib/python3/dist-packages"
QUESTION = """
import sys
for part in sys.argv[1:]:
    try:
        exec("import " + part)
    except Exception:
        continue
    print(part)
"""


def environment_of(interpreter):
    """Debian's own interpreters see their packages; others are shown those of this machine."""
    return {} if interpreter.root or interpreter.origin == "system" else {"PYTHONPATH": HERE + ":" + PACKAGES}


@functools.lru_cache(maxsize=None)
def importable(interpreter, parts):
    """Those of the parts ("aiohttp", or "fastapi, uvicorn") that it can import, asked in one go."""
    done = subprocess.run([interpreter.executable, "-c", QUESTION, *parts], env={**os.environ, **environment_of(interpreter)}, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return frozenset(done.stdout.decode().splitlines())
