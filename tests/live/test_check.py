"""`asyncspy check`: a liveness probe that never stops what it looks at."""
import os
import re
import subprocess
import threading

import pytest

import interpreters
from target import HERE, PATIENCE, held_threads, thread_states
from watcher import STALLS, StallingService, WATCHED

QUIET_UVLOOP = os.path.join(HERE, "services", "quiet_uvloop.py")
RELEASES = ((3, 8), (3, 11), (3, 13), (3, 15))
NOT_READABLE = 4


def chosen():
    """One interpreter of each release."""
    found = {}
    for each in interpreters.matrix():
        found.setdefault(each.version[:2], each)
    return [found[release] for release in RELEASES if release in found]


EVERYWHERE = pytest.mark.parametrize("interpreter", chosen(), ids=lambda each: each.label)


class Guard:
    """Looks all the time whether any thread of the process is stopped or traced."""

    def __init__(self, pid):
        self.pid = pid
        self.looks = 0
        self.seen = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self):
        while not self._end.is_set():
            self.seen += held_threads(self.pid).items()
            self.looks += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


def check(asyncspy, target, tmp_path, *arguments):
    """Its exit code. It asks the kernel for nothing by which a process is stopped."""
    log = tmp_path / "calls"
    with Guard(target.pid) as guard:
        done = subprocess.run(["strace", "-f", "--seccomp-bpf", "-e", "trace=ptrace,kill,tkill,tgkill,pidfd_send_signal,openat", "-o", str(log), asyncspy.binary, "check",
                               str(target.pid), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
    calls = log.read_text()
    sent = re.findall(r"\b(?:ptrace|kill|tkill|tgkill|pidfd_send_signal)\(.*", calls)
    assert not [each for each in sent if not re.match(r"kill\(\d+, 0\)", each)], sent  # signal 0 asks whether there is such a process
    opened = re.findall(r"openat\(\S+ \"/proc/{}/[^\"]*\", (\S+)".format(target.pid), calls)
    assert opened and not any("O_WRONLY" in flags or "O_RDWR" in flags for flags in opened), calls
    assert guard.looks and not guard.seen, guard.seen
    return done


def start_service(start, interpreter, name):
    target = start(interpreter, WATCHED, name)
    target.next_report()
    return target


@EVERYWHERE
@pytest.mark.parametrize("name", ["idle", "busy", "leaking"])
def test_a_loop_that_idles_or_goes_on_is_healthy(asyncspy, start, tmp_path, interpreter, name):
    target = start_service(start, interpreter, name)
    for _ in range(3):
        done = check(asyncspy, target, tmp_path, "--max-stall", "30s")
        assert done.returncode == 0 and done.stderr == b"", done


@EVERYWHERE
def test_a_loop_that_stays_in_one_step_is_not(asyncspy, start, tmp_path, interpreter):
    target = start_service(start, interpreter, "blocked")
    done = check(asyncspy, target, tmp_path, "--max-stall", "300ms")
    assert done.returncode == 1, done
    assert "fetch_rate" in (done.stdout + done.stderr).decode()


@EVERYWHERE
def test_steps_that_are_long_but_end_are_healthy(asyncspy, interpreter, tmp_path):
    service = StallingService(interpreter.executable, STALLS, ("asyncio",), log=str(tmp_path / "service.log"))
    try:
        service.next_report()
        # Half a second each, one after the other at the same place.
        service.order("stall", "sleep_soundly", "in_own_task", 0.5, 8)
        for _ in range(3):
            done = check(asyncspy, service, tmp_path, "--max-stall", "30s")
            assert done.returncode == 0, done
        assert len(service.next_report()["stalled"]) == 8
        service.end()
    finally:
        service.close()


@pytest.mark.parametrize("name", ["blocked_on_lock", "blocked_on_cpu", "blocked_callback"])
def test_every_way_to_block_is_seen(asyncspy, start_situation, any_interpreter, tmp_path, name):
    target = start_situation(any_interpreter, name)
    assert check(asyncspy, target, tmp_path, "--max-stall", "300ms").returncode == 1


def test_uvloop_is_checked_too(asyncspy, start, tmp_path):
    found = [each for each in interpreters.matrix() if each.origin == "system" and each.has_package("uvloop")]
    if not found and not interpreters.required():
        pytest.skip("no uvloop here")
    idle = start(found[0], QUIET_UVLOOP)
    idle.next_report()
    assert check(asyncspy, idle, tmp_path, "--max-stall", "5s").returncode == 0
    service = StallingService(found[0].executable, STALLS, ("uvloop",), log=str(tmp_path / "service.log"))
    try:
        service.next_report()
        assert check(asyncspy, service, tmp_path, "--max-stall", "30s").returncode == 0
        service.order("stall", "sleep_soundly", "by_call_soon", 1000)
        # Until the order has arrived the loop goes on.
        for _ in range(100):
            if check(asyncspy, service, tmp_path, "--max-stall", "300ms").returncode == 1:
                break
        else:
            raise AssertionError("the stall was never seen")
        service.end()
    finally:
        service.close()


def test_what_is_no_python_is_not_readable(asyncspy):
    with subprocess.Popen(["sleep", "1000"]) as sleeper:
        try:
            done = asyncspy.run("check", sleeper.pid, "--max-stall", "5s")
            assert done.returncode == NOT_READABLE and b"hint: " in done.stderr
            assert not held_threads(sleeper.pid)
        finally:
            sleeper.kill()


def test_a_process_that_is_not_there_is_not_readable(asyncspy):
    done = asyncspy.run("check", 1 << 22, "--max-stall", "5s")
    assert done.returncode == NOT_READABLE and b"asyncspy: " in done.stderr


def test_a_loop_that_ends_while_it_is_looked_at_is_no_crash(asyncspy, start, any_interpreter):
    target = start_service(start, any_interpreter, "blocked")
    with subprocess.Popen([asyncspy.binary, "check", str(target.pid), "--max-stall", "60s"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as running:
        while running.poll() is None and sleeps_of(running.pid) < 20:  # between looks
            os.sched_yield()
        target.process.kill()
        target.process.wait(PATIENCE)
        assert running.wait(PATIENCE) == NOT_READABLE
        running.communicate()


def sleeps_of(pid):
    with open("/proc/{}/status".format(pid)) as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M).group(1))


def test_a_stopped_target_stays_stopped(asyncspy, start, any_interpreter):
    target = start_service(start, any_interpreter, "idle")
    os.kill(target.pid, 19)
    while set(thread_states(target.pid).values()) != {("T", 0)}:
        os.sched_yield()
    done = asyncspy.run("check", target.pid, "--max-stall", "300ms")
    assert done.returncode == 1 and b"no event loop was seen to go on" in done.stdout, done
    assert set(thread_states(target.pid).values()) == {("T", 0)}
    os.kill(target.pid, 18)


def test_python_without_a_loop_is_told_apart(asyncspy, start_situation, any_interpreter):
    """Nothing can be said of a loop that is not there: that is no failure of it."""
    target = start_situation(any_interpreter, "no_loop")
    done = asyncspy.run("check", target.pid, "--max-stall", "300ms")
    assert done.returncode in (0, NOT_READABLE)
    assert not held_threads(target.pid)


@pytest.mark.parametrize("arguments", [(), ("abc",), ("1", "--max-stall", "soon"), ("1", "--max-stall", "-1s"), ("1", "2")], ids=" ".join)
def test_what_makes_no_sense_is_refused_as_usage(asyncspy, arguments):
    assert asyncspy.run("check", *arguments).returncode == 2
