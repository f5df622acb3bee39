"""Starts the processes that are looked at, runs commands beside them, and measures what both feel."""
import json
import os
import re
import select
import shutil
import signal
import subprocess
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(PROJECT, "build", "bench")
READY_SECONDS = 300  # a bound: a million tasks take a while to make
CC = os.environ.get("CC", "cc")


def build_programs():
    """Compiles the C parts into build/bench, beside a copy of the target program: all of it is /tmp in a root."""
    os.makedirs(BUILD, exist_ok=True)
    for name, options in (("measure", []), ("bulk_copy", []), ("pause_probe.so", ["-shared", "-fPIC", "-pthread"])):
        source = os.path.join(HERE, name.split(".")[0] + ".c")
        subprocess.run([CC, "-O2", "-Wall", "-Wextra", "-Werror", source, "-o", os.path.join(BUILD, name), *options], check=True)
    shutil.copy(os.path.join(HERE, "target.py"), BUILD)


@dataclass(frozen=True)
class Place:
    """A directory tree to run in: the machine's own (root "") or an unpacked distribution."""
    root: str = ""

    def launcher(self, neighbour=None):
        """`neighbour` is a process of this place, whose view of the file system is shared."""
        where = ["-n", str(neighbour)] if neighbour else ["-d", BUILD]
        return [os.path.join(BUILD, "measure"), *(["-r", self.root, *where] if self.root else [])]

    def file(self, name):
        """The path of a file of build/bench, as seen from inside."""
        return "/tmp/" + name if self.root else os.path.join(BUILD, name)


@dataclass(frozen=True)
class Run:
    """One measured run of one command. Times in seconds."""
    wall: float
    cpu: float
    peak_bytes: int
    felt_pause: float
    exit: int
    timed_out: bool


def environment(place):
    """The tree of a distribution has no compiled modules, and what an import costs shall not be held against a peer."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C", "PYTHONPYCACHEPREFIX": place.file("pycache")}


class Target:
    """A Python process with N tasks and a thread that feels every pause. Ends with the `with` block, or with this process. That
    thread takes a quarter of a processor: where work is counted instead of pauses it is left out (`feels_pauses`)."""

    def __init__(self, python, situation, count, feels_pauses=True):
        self._probe = os.memfd_create("pause-probe")
        os.ftruncate(self._probe, 4096)
        ready, writing = os.pipe()
        place = self._place = python.place
        command = [*place.launcher(), "-x", python.executable, place.file("target.py"), place.file("pause_probe.so") if feels_pauses else "",
                   str(self._probe), str(writing), situation, str(count)]
        self._log_path = os.path.join(BUILD, "target.log")
        with open(self._log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment(place),
                                            pass_fds=[self._probe, writing])
        os.close(writing)
        self.pid = self.process.pid
        try:
            answer = os.read(ready, 100) if select.select([ready], [], [], READY_SECONDS)[0] else b""
            if not answer:
                with open(self._log_path, errors="replace") as log:
                    raise RuntimeError("{} {} on {}: the target did not get ready: {}".format(
                        situation, count, python.name, log.read()[-2000:]))
            self.port = int(answer)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(ready)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        os.close(self._probe)

    def measure(self, command, place=Place(), seconds=60, output="output"):
        """Runs a command to its end, or for `seconds`; its output is in build/bench/OUTPUT and OUTPUT.errors."""
        reading, writing = os.pipe()
        launcher = [*place.launcher(self.pid if place == self._place else None), "-g", str(self._probe), "-t", str(seconds), "-o", str(writing)]
        try:
            path = os.path.join(BUILD, output)
            with open(path, "wb") as out, open(path + ".errors", "wb") as errors:
                process = subprocess.Popen([*launcher, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
                                           env=environment(place), pass_fds=[self._probe, writing])
            os.close(writing)
            writing = -1
            process.wait()
            answer = os.read(reading, 4096)
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)
        if not answer:
            raise RuntimeError("measure failed: " + read_output(output + ".errors")[-500:])
        return Run(**json.loads(answer))

    def copy_in_bulk(self, size):
        """Seconds that a plain copy of `size` bytes of the target's memory takes; None when it has not that many."""
        run = self.measure([os.path.join(BUILD, "bulk_copy"), str(self.pid), str(size)], output="bulk_copy.out")
        return float(read_output("bulk_copy.out")) if run.exit == 0 else None

    def resident_bytes(self):
        with open("/proc/{}/status".format(self.pid)) as file:
            return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1)) * 1024


def read_output(name, limit=1 << 20):
    with open(os.path.join(BUILD, name), errors="replace") as file:
        return file.read(limit)
