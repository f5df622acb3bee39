"""Whatever happens to asyncspy, its target goes on working."""
import os
import random
import signal
import struct
import subprocess
import time

import pytest

from target import HERE, PATIENCE, held_threads

BUSY = os.path.join(HERE, "services", "busy.py")
COUNTERS = 4
KILLS = 100
LONGEST_LIFE = 0.04  # seconds: as long as a dump takes, so that every phase of one is met


class Counters:
    """The work that the target has done, as it counts it itself."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.write(bytes(8 * COUNTERS))

    def read(self):
        with open(self.path, "rb") as file:
            return struct.unpack("={}Q".format(COUNTERS), file.read())

    def wait_until_all_rise(self):
        """Bounded: a thread that stands still makes the test fail."""
        before, until = self.read(), time.monotonic() + PATIENCE
        while True:
            still = [place for place, (old, new) in enumerate(zip(before, self.read())) if new == old]
            if not still:
                return
            assert time.monotonic() < until, "counters {} stand still at {}".format(still, before)
            time.sleep(0.001)


@pytest.fixture
def busy(start, any_interpreter, tmp_path):
    counters = Counters(str(tmp_path / "counters"))
    target = start(any_interpreter, BUSY, counters.path)
    assert target.next_report() == {"busy": True}
    counters.wait_until_all_rise()
    return target, counters


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_killed_asyncspy_leaves_the_target_running(asyncspy, busy, number):
    target, counters = busy
    moments = random.Random(number.value)

    def take_signals():  # what a shell starts in the background ignores SIGINT, and so does what that starts
        signal.signal(number, signal.SIG_DFL)

    survived = 0
    for _ in range(KILLS):
        spy = subprocess.Popen([asyncspy.binary, "dump", str(target.pid), "--format", "json"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=None if number == signal.SIGKILL else take_signals)
        time.sleep(moments.uniform(0, LONGEST_LIFE))  # the moment to kill at; nothing is awaited by it
        spy.send_signal(number)
        survived += spy.wait(PATIENCE) in (0, 1)
        assert not held_threads(target.pid)
    assert survived < KILLS, "not one asyncspy was killed"
    counters.wait_until_all_rise()
    assert target.process.poll() is None


def test_a_dump_lets_every_thread_of_a_busy_target_go_on(asyncspy, busy):
    target, counters = busy
    for _ in range(20):
        report = asyncspy.dump(target.pid)
        assert sum(thread["has_python"] for thread in report["threads"]) == COUNTERS + 1
        counters.wait_until_all_rise()


def test_two_asyncspys_at_once_leave_the_target_running(asyncspy, busy):
    target, counters = busy
    for _ in range(20):
        pair = [subprocess.Popen([asyncspy.binary, "dump", str(target.pid)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
        codes = [spy.wait(PATIENCE) for spy in pair]
        assert set(codes) <= {0, 1, 3}, codes  # a process has one tracer at most: the later one may be refused
        assert not held_threads(target.pid)
    counters.wait_until_all_rise()
