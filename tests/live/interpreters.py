"""Which Python interpreters this machine has to test with.

Looked for in ~/.pyenv/versions, in /usr/bin, in ASYNCSPY_TEST_PYTHONS (executables, separated by colons), and in the roots of
other distributions that scripts/make-roots made. Where the environment says CI, every release that asyncspy supports and
every root must be there; on a person's machine what is missing is skipped and said.
"""
import glob
import json
import os
import shutil
import subprocess
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
ROOTS = os.path.join(os.path.dirname(os.path.dirname(HERE)), ".roots")
ROOT_NAMES = ("trixie", "sid")
SUPPORTED = tuple((3, minor) for minor in range(7, 16))
PACKAGED = ((3, 10), (3, 13))  # first and last release that the distribution's aiohttp and requests run on

QUESTION = """
import json, sys
print(json.dumps([list(sys.version_info[:3]), getattr(sys, 'implementation', None) and sys.implementation.name or 'cpython']))
"""


@dataclass(frozen=True)
class Interpreter:
    executable: str
    version: tuple  # three numbers
    origin: str  # "pyenv" (from source, with debug information), "system" (stripped), "extra", or the name of a root
    root: str = ""  # the tree that it runs in; tests/live is there under the same path as here

    @property
    def label(self):
        return "{}.{}.{}-{}".format(*self.version, self.origin)

    def has_package(self, name):
        """Whether the interpreter can import a package that its distribution ships."""
        return subprocess.run([self.executable, "-c", "import " + name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=60, check=False).returncode == 0


def _candidates():
    for path in sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*.*.*/bin/python"))):
        yield path, "pyenv", ""
    for path in sorted(glob.glob("/usr/bin/python3")):
        yield os.path.realpath(path), "system", ""
    for path in filter(None, os.environ.get("ASYNCSPY_TEST_PYTHONS", "").split(":")):
        yield path, "extra", ""
    for name in ROOT_NAMES if os.geteuid() == 0 else ():
        for path in sorted(glob.glob(os.path.join(ROOTS, name, "targets", "python*"))):
            yield path, name, os.path.join(ROOTS, name)


def discover():
    """All CPython interpreters that answer, supported or not."""
    found = []
    for path, origin, root in _candidates():
        try:
            answer = subprocess.run([path, "-S", "-c", QUESTION], stdout=subprocess.PIPE, timeout=30, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        version, implementation = json.loads(answer.decode())
        if implementation == "cpython":
            found.append(Interpreter(path, tuple(version), origin, root))
    return found


def _copy_programs(root):
    """Puts what targets run where they find it, under the same path. Each file appears whole, as another run of the
    tests may use the same tree."""
    for folder, _, names in os.walk(HERE):
        there = root + folder
        os.makedirs(there, exist_ok=True)
        for name in names:
            if name.endswith(".py"):
                new = os.path.join(there, "{}.{}".format(name, os.getpid()))
                shutil.copy(os.path.join(folder, name), new)
                os.replace(new, os.path.join(there, name))


ALL = discover()
for _root in sorted({each.root for each in ALL if each.root}):
    _copy_programs(_root)


def matrix():
    """Every interpreter of a supported release, in roots too."""
    return [each for each in ALL if each.version[:2] in SUPPORTED]


def supported():
    """Those outside of roots that can also run the distribution's packages."""
    return [each for each in matrix() if not each.root and PACKAGED[0] <= each.version[:2] <= PACKAGED[1]]


def missing():
    """Supported releases of which there is no interpreter here."""
    return [release for release in SUPPORTED if not any(each.version[:2] == release for each in ALL)]


def missing_roots():
    return [name for name in ROOT_NAMES if not any(each.origin == name for each in ALL)]


def required():
    return bool(os.environ.get("CI"))
