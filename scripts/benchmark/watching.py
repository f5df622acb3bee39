"""`asyncspy top` at its defaults, on a terminal: what a web service under load loses to it, and whether it stays cheap and small."""
import fcntl
import os
import pty
import re
import select
import shutil
import statistics
import struct
import subprocess
import termios
import threading
import time

from load import BACKGROUND_TASKS, run_load
from processes import Target
from tools import ASYNCSPY

IDLE_TASKS = 10_000
PART = 10  # seconds between two looks at the tool
WARM_UP = 30  # seconds: until then its history fills


class Watched:
    """`asyncspy top` in a terminal of 120 by 40, whose screens nobody reads."""

    def __init__(self, pid):
        self._terminal, other_end = pty.openpty()
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen([ASYNCSPY, "top", str(pid)], stdin=other_end, stdout=other_end, stderr=other_end,
                                        env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}, start_new_session=True)
        os.close(other_end)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        while not self._end.is_set():
            if select.select([self._terminal], [], [], 0.1)[0]:
                try:
                    os.read(self._terminal, 1 << 16)
                except OSError:  # it has ended
                    return

    def cpu_seconds(self):
        with open("/proc/{}/stat".format(self.process.pid)) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        with open("/proc/{}/status".format(self.process.pid)) as file:
            return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1)) * 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)
        self._end.set()
        self._thread.join()
        os.close(self._terminal)


def _measure_loss(python, quick, say):
    pairs, seconds = (3, 5) if quick else (8, 10)
    alone, watched, cpu = [], [], 0.0
    with Target(python, "http", BACKGROUND_TASKS) as target:
        run_load(target.port, 2)
        for number in range(pairs):
            for with_top in ((False, True), (True, False))[number % 2]:  # drift of the machine meets both alike
                if not with_top:
                    alone.append(run_load(target.port, seconds))
                    continue
                with Watched(target.pid) as top:
                    watched.append(run_load(target.port, seconds))
                    cpu += top.cpu_seconds()
    rates = [each["rate"] for each in alone]
    result = {"pairs": pairs, "loss": statistics.median(1 - b["rate"] / a["rate"] for a, b in zip(alone, watched)), "rate": statistics.median(rates),
              "rate_noise": statistics.pstdev(rates) / statistics.mean(rates), "cpu_under_load": cpu / (pairs * seconds)}
    say("  top: {:.0f} requests/s, {:+.1%} with asyncspy top beside it".format(result["rate"], -result["loss"]))
    return result


def _measure_flatness(python, quick, say):
    parts = 6 if quick else 30
    cpu, memory = [], []
    with Target(python, "idle", IDLE_TASKS) as target, Watched(target.pid) as top:
        time.sleep(WARM_UP)
        before = top.cpu_seconds()
        for _ in range(parts):
            time.sleep(PART)
            now = top.cpu_seconds()
            cpu.append((now - before) / PART)
            memory.append(top.resident_bytes())
            before = now
    say("  top: {:.1%} of a core, {:.1f} MB at first, {:.1f} MB at last, over {} s".format(statistics.mean(cpu), memory[0] / 1e6, memory[-1] / 1e6, parts * PART))
    return {"tasks": IDLE_TASKS, "part": PART, "cpu": cpu, "memory": memory}


def measure_top(python, quick, say):
    result = {"situation": "top", "loss": None, "flat": _measure_flatness(python, quick, say)}
    if shutil.which("wrk") is None:
        say("  top: no load: wrk is not installed (Debian: wrk)")
    else:
        result["loss"] = _measure_loss(python, quick, say)
    return result
