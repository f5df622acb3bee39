"""Whatever happens to `asyncspy watch`, at any moment of a snapshot: no target stays stopped, and no incident file is half-written."""
import json
import os
import random
import signal
import time

import pytest

from target import PATIENCE, held_threads
from test_kill import busy  # noqa: F401  a fixture
from watcher import INCIDENT_FILE, STALLS, StallingService, incident_files, partial_files

KILLS = 40
LONGEST_LIFE = 0.15  # seconds from the first incident on: several snapshots
# Everything is a reason for a snapshot.
EAGER = ("--stall", "5ms", "--interval", "1ms", "--lag", 0, "--survey", "50ms", "--same-cause", 0, "--rate", 0, "--keep", 20)


@pytest.fixture
def stalling(any_interpreter, tmp_path):
    """Stalls again and again, until the test ends."""
    service = StallingService(any_interpreter.executable, STALLS, ("asyncio",), log=str(tmp_path / "service.log"))
    service.next_report()
    service.order("run", 1 << 30, 1, json.dumps({"silent": 0.01, "heard": 0.02, "pair": 0.007}))
    yield service
    service.end()
    service.close()


def check_files(directory, known):
    """Every file that is not known yet is a whole report."""
    names = set(incident_files(directory))
    for name in sorted(names - known):
        with open(os.path.join(directory, name)) as file:
            assert json.load(file)["incident"]["samples"] is not None
    assert not [each for each in os.listdir(directory) if not INCIDENT_FILE.fullmatch(each) and not each.startswith(".")]
    known |= names
    return names


def test_a_killed_watch_leaves_its_targets_running_and_its_files_whole(asyncspy, watch, stalling, busy):
    target, counters = busy
    moments = random.Random(1)
    known, left_over = set(), 0
    for number in range(KILLS):
        running = watch(*EAGER, stalling.pid, target.pid)
        running.wait_for("started")
        # What the one before left half-done has gone; what there is now is its own.
        assert not [each for each in partial_files(running.directory) if "-{}-".format(running.pid) not in each]
        running.wait_for("incident", suppressed=None)
        time.sleep(moments.uniform(0, LONGEST_LIFE))  # the moment to kill at; nothing is awaited by it
        assert running.kill() == -signal.SIGKILL
        for each in (stalling, target):
            assert not held_threads(each.pid)
        left_over += bool(partial_files(running.directory))
        names = check_files(running.directory, known)
        if number % 10 == 0:
            with open(os.path.join(running.directory, max(names))) as file:
                asyncspy.check_schema(json.load(file))
    print("{} files, {} of {} kills left one half-written".format(len(known), left_over, KILLS))
    counters.wait_until_all_rise()
    last = watch(*EAGER, target.pid)
    last.wait_for("target", pid=target.pid)
    last.stop()
    assert not partial_files(last.directory) and len(incident_files(last.directory)) <= 20
    assert stalling.process.poll() is None and target.process.poll() is None


def test_what_an_earlier_one_left_half_written_is_removed_and_nothing_else(watch, busy, tmp_path):
    """With the names that it gives to such files itself, as the system call shows them."""
    target, _ = busy
    directory = tmp_path / "incidents"
    directory.mkdir()
    for name in ("notes.txt", ".hidden", ".asyncspy-not-of-watch", "asyncspy.json"):
        (directory / name).write_text("mine")
    log = tmp_path / "calls"
    traced = watch(*EAGER, target.pid, wrapper=("strace", "-f", "-e", "trace=rename,renameat,renameat2", "-o", str(log)))
    traced.wait_for("incident")
    with open("/proc/{0}/task/{0}/children".format(traced.pid)) as file:
        os.kill(int(file.read().split()[0]), signal.SIGTERM)
    traced.process.wait(PATIENCE)
    renamed = [os.path.basename(line.split('"')[1]) for line in log.read_text().splitlines() if line.count('"') >= 4]
    assert renamed and all(each.startswith(".asyncspy-") for each in renamed), renamed
    (directory / renamed[0]).write_text("half")
    running = watch(*EAGER, target.pid)
    running.wait_for("target", pid=target.pid)
    assert not (directory / renamed[0]).exists()
    for name in ("notes.txt", ".hidden", ".asyncspy-not-of-watch", "asyncspy.json"):
        assert (directory / name).read_text() == "mine"
    running.process.terminate()
    assert running.wait_for_end()[0] == 0
    traced.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_watch_that_is_told_to_end_does_so_cleanly(watch, stalling, number):
    moments = random.Random(number.value)
    known = set()
    for _ in range(10):
        running = watch(*EAGER, stalling.pid)
        running.wait_for("incident")
        time.sleep(moments.uniform(0, LONGEST_LIFE))  # the moment to end at; nothing is awaited by it
        stopped = running.stop(number)
        assert stopped["signal"] in (number.name, number.value, number.name[3:])
        assert not held_threads(stalling.pid)
        check_files(running.directory, known)
        told = {each["file"] for each in running.of("incident")}
        assert {name for name in incident_files(running.directory)} <= told | known
    assert stalling.process.poll() is None


def test_a_watch_that_is_told_to_end_at_its_very_start_does_so_cleanly(watch, busy):
    target, counters = busy
    moments = random.Random(5)
    for _ in range(20):
        running = watch(*EAGER, target.pid)
        running.wait_for("started")
        time.sleep(moments.uniform(0, 0.03))  # the moment to end at; nothing is awaited by it
        running.stop()
        assert not held_threads(target.pid)
    counters.wait_until_all_rise()


def test_two_watches_of_one_target_do_not_harm_it(watch, stalling, tmp_path):
    pair = [watch(*EAGER, stalling.pid, directory=tmp_path / name) for name in ("one", "other")]
    for each in pair:
        each.wait_for("incident", 10)
    for each in pair:
        each.stop()
        check_files(each.directory, set())
    assert not held_threads(stalling.pid) and stalling.process.poll() is None
