"""Which Python interpreters this machine has to test with.

Looked for in ~/.pyenv/versions, in /usr/bin, and in ASYNCSPY_TEST_PYTHONS (executables, separated by colons). Where the
environment says CI, every release that asyncspy supports must be there; on a person's machine what is missing is skipped
and said.
"""
import glob
import json
import os
import subprocess
from dataclasses import dataclass

SUPPORTED = ((3, 11), (3, 12), (3, 13))

QUESTION = """
import json, sys
print(json.dumps([list(sys.version_info[:3]), getattr(sys, 'implementation', None) and sys.implementation.name or 'cpython']))
"""


@dataclass(frozen=True)
class Interpreter:
    executable: str
    version: tuple  # three numbers
    origin: str  # "pyenv" (built from source, with debug information), "system" (the distribution's, stripped), "extra"

    @property
    def label(self):
        return "{}.{}.{}-{}".format(*self.version, self.origin)


def _candidates():
    for path in sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*.*.*/bin/python"))):
        yield path, "pyenv"
    for path in sorted(glob.glob("/usr/bin/python3")):
        yield os.path.realpath(path), "system"
    for path in filter(None, os.environ.get("ASYNCSPY_TEST_PYTHONS", "").split(":")):
        yield path, "extra"


def discover():
    """All CPython interpreters that answer, supported or not."""
    found = []
    for path, origin in _candidates():
        try:
            answer = subprocess.run([path, "-S", "-c", QUESTION], stdout=subprocess.PIPE, timeout=30, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        version, implementation = json.loads(answer.decode())
        if implementation == "cpython":
            found.append(Interpreter(path, tuple(version), origin))
    return found


ALL = discover()


def supported():
    return [each for each in ALL if each.version[:2] in SUPPORTED]


def missing():
    """Supported releases of which there is no interpreter here."""
    return [release for release in SUPPORTED if not any(each.version[:2] == release for each in ALL)]


def required():
    return bool(os.environ.get("CI"))
