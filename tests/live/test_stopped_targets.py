"""Targets that stand still already, or that can not be stopped: read as they are, in bounded time, and left as they are."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import interpreters
from target import HERE, PATIENCE, held_threads, thread_states
from unanswered_mount import CONTENT, UnansweredMount

ASLEEP = os.path.join(HERE, "churn", "vfork_parent.py")
READER = os.path.join(HERE, "churn", "file_reader.py")
EVERYWHERE = pytest.mark.parametrize("interpreter", interpreters.matrix(), ids=lambda each: each.label)
NO_PERMISSION = 3

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may freeze control groups")
needs_mounts = pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists("/dev/fuse"), reason="needs root and /dev/fuse")


def wait_for(condition, what):
    """Bounded: a condition that never comes true makes the test fail."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, what
        os.sched_yield()


def states(pid):
    return {state for state, _ in thread_states(pid).values()}


def moves(pid):
    """Context switches of every thread: none runs without one."""
    counts = {}
    for tid in os.listdir("/proc/{}/task".format(pid)):
        with open("/proc/{}/task/{}/status".format(pid, tid)) as file:
            counts[tid] = [line for line in file if "ctxt_switches" in line]
    return counts


def stop_by_signal(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: states(pid) == {"T"}, "the target did not stop")


def dump(asyncspy, pid, *arguments):
    """As asyncspy.dump, of a target that is held by others."""
    done = asyncspy.run("dump", pid, "--format", "json", *arguments)
    assert done.returncode in (0, 1), done.stderr.decode()
    report = json.loads(done.stdout.decode())
    asyncspy.check_schema(report)
    return report


def check_read_as_it_was(report, reason, tasks):
    """Everything is there, without a stop, and the report says why."""
    assert (report["capture"]["mode"], report["capture"]["stops"], report["capture"]["pause_seconds"]) == ("stopped", 0, 0)
    assert len(report["tasks"]) == tasks and all(task["stack"] and not task["gaps"] for task in report["tasks"])
    assert any(reason in warning for warning in report["warnings"]), report["warnings"]
    # Each thread of Python is one of the kernel's, although its registers are not to be had.
    python = [thread for thread in report["threads"] if thread["has_python"]]
    assert python and all(thread["tid"] > 0 and thread["system_call"] for thread in python), report["threads"]
    assert [loop["state"] for loop in report["loops"]] == ["idle"]


@EVERYWHERE
def test_a_target_stopped_by_a_signal_is_read_and_stays_stopped(asyncspy, start_situation, interpreter):
    target = start_situation(interpreter, "many_sleepers")
    pid = target.pid
    stop_by_signal(pid)
    for _ in range(3):
        report = dump(asyncspy, pid)
        assert len(report["tasks"]) == 201 and all(task["stack"] and not task["gaps"] for task in report["tasks"])
        assert [loop["state"] for loop in report["loops"]] == ["idle"]
        assert set(thread_states(pid).values()) == {("T", 0)}
    os.kill(pid, signal.SIGCONT)
    assert len(target.ask_account()["tasks"]) == 201


class FrozenGroup:
    """A control group with the process in it, frozen while the object is in use."""

    def __init__(self, top, switch, on, off, told):
        self.top, self.switch, self.on, self.off, self.told = top, switch, on, off, told

    def put(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def is_frozen(self):
        with open(os.path.join(self.folder, self.told[0])) as file:
            return self.told[1] in file.read().splitlines()

    def freeze(self, pid, name):
        self.pid, self.folder = pid, os.path.join(self.top, name)
        os.mkdir(self.folder)
        self.put("cgroup.procs", str(pid))
        self.put(self.switch, self.on)
        wait_for(self.is_frozen, "the group did not freeze")

    def thaw(self):
        self.put(self.switch, self.off)
        with open(os.path.join(self.top, "cgroup.procs"), "w") as file:
            file.write(str(self.pid))
        os.rmdir(self.folder)


def find_mount(kind, option):
    with open("/proc/self/mounts") as file:
        for line in file:
            _, path, found, options = line.split()[:4]
            if found == kind and (option is None or option in options.split(",")):
                return path
    return None


@needs_root
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_frozen_target_is_read_as_it_is_and_stays_frozen(asyncspy, start_situation, any_interpreter, version):
    top = find_mount("cgroup", "freezer") if version == "v1" else find_mount("cgroup2", None)
    if top is None:
        assert not interpreters.required()
        pytest.skip("no such hierarchy of control groups is mounted")
    group = (FrozenGroup(top, "freezer.state", "FROZEN", "THAWED", ("freezer.state", "FROZEN")) if version == "v1" else
             FrozenGroup(top, "cgroup.freeze", "1", "0", ("cgroup.events", "frozen 1")))
    target = start_situation(any_interpreter, "many_sleepers")
    name = "asyncspy-test-{}".format(target.pid)
    group.freeze(target.pid, name)
    try:
        before = moves(target.pid)
        for _ in range(3):
            check_read_as_it_was(dump(asyncspy, target.pid), "frozen with its control group, /" + name, 201)
        done = asyncspy.run("doctor", target.pid)
        assert "frozen with its control group" in done.stdout.decode()
        assert group.is_frozen() and moves(target.pid) == before
    finally:
        group.thaw()
    assert len(target.ask_account()["tasks"]) == 201


# Tracers -------------------------------------------------------------------------------------------------------------

PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_DETACH = 16, 0x4206, 17

TRACER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
request, pid = int(sys.argv[1]), int(sys.argv[2])
tids = [int(name) for name in os.listdir("/proc/%d/task" % pid)]
for tid in tids:
    if libc.ptrace(request, tid, None, None) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    if request == {attach}:
        os.waitpid(tid, 0x40000000)
print("traces", flush=True)
sys.stdin.read()
for tid in tids if request == {attach} else ():
    libc.ptrace({detach}, tid, None, None)
""".format(attach=PTRACE_ATTACH, detach=PTRACE_DETACH)


class Tracer:
    """Another debugger: holds the process stopped (attach) or lets it run (seize) until it is told to end."""

    def __init__(self, request, pid):
        self.process = subprocess.Popen([sys.executable, "-c", TRACER, str(request), str(pid)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"traces\n"
        self.pid = self.process.pid

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0
        self.process.stdout.close()


def test_a_target_that_another_debugger_watches_is_refused_by_name_and_read_without_a_pause(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "many_sleepers")
    tracer = Tracer(PTRACE_SEIZE, target.pid)
    try:
        done = asyncspy.run("dump", target.pid)
        assert done.returncode == NO_PERMISSION and done.stdout == b""
        assert "process {}".format(tracer.pid) in done.stderr.decode() and "--no-pause" in done.stderr.decode(), done.stderr
        report = dump(asyncspy, target.pid, "--no-pause")
        assert len(report["tasks"]) == 201 and report["capture"]["mode"] == "running"
        assert {tracer_pid for _, tracer_pid in thread_states(target.pid).values()} == {tracer.pid}
    finally:
        tracer.end()
    assert asyncspy.dump(target.pid)["capture"]["stops"] >= 1


def test_a_target_that_another_debugger_holds_is_read_as_it_is(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "many_sleepers")
    tracer = Tracer(PTRACE_ATTACH, target.pid)
    try:
        wait_for(lambda: states(target.pid) == {"t"}, "the target did not stop")
        before = moves(target.pid)
        check_read_as_it_was(dump(asyncspy, target.pid), "by its tracer, process {}".format(tracer.pid), 201)
        assert set(thread_states(target.pid).values()) == {("t", tracer.pid)} and moves(target.pid) == before
    finally:
        tracer.end()
    assert len(target.ask_account()["tasks"]) == 201


# Uninterruptible sleep -------------------------------------------------------------------------------------------------

def test_a_thread_in_uninterruptible_sleep_does_not_prevent_a_dump(asyncspy, start, any_interpreter):
    target = start(any_interpreter, ASLEEP)
    sleeper = target.next_report()["sleeper"]
    wait_for(lambda: thread_states(target.pid)[sleeper][0] == "D", "the thread does not sleep in vfork")
    for _ in range(3):
        report = asyncspy.dump(target.pid)
        assert any("thread {} ".format(sleeper) in warning and "state D" in warning for warning in report["warnings"])
        assert len(report["tasks"]) == 21 and all(task["stack"] and not task["gaps"] for task in report["tasks"])
        threads = {thread["tid"]: thread for thread in report["threads"]}
        assert threads[sleeper]["state"] == "D" and "fork_and_sleep" in [frame["function"] for frame in threads[sleeper]["stack"]]
        assert thread_states(target.pid)[sleeper] == ("D", 0)
    # The child ends: the thread goes on as if nothing had been.
    os.write(target.process.stdin.fileno(), b"x")
    assert target.next_report() == {"child_ended": True}
    assert not any("state D" in warning for warning in asyncspy.dump(target.pid)["warnings"])


@needs_mounts
def test_a_loop_that_reads_a_file_whose_server_does_not_answer_is_dumped_and_left_as_it_was(asyncspy, start, any_interpreter, tmp_path):
    place = tmp_path / "mount"
    place.mkdir()
    with UnansweredMount(str(place)) as mount:
        target = start(any_interpreter, READER, mount.path)
        target.next_report()
        # The first order to stop interrupts the wait, and the file system says that it can not be: from then on it is state D.
        wait_for(lambda: mount.is_asked, "nobody reads the file")
        asyncspy.dump(target.pid)
        wait_for(lambda: thread_states(target.pid)[target.pid][0] == "D", "the thread does not sleep uninterruptibly")
        for _ in range(3):
            report = asyncspy.dump(target.pid)
            assert any("thread {} ".format(target.pid) in warning and "state D" in warning for warning in report["warnings"])
            assert [loop["state"] for loop in report["loops"]] == ["blocked"]
            thread = [each for each in report["threads"] if each["tid"] == target.pid][0]
            assert thread["state"] == "D" and thread["system_call"]["name"] == "read"
            assert thread["system_call"]["descriptor"]["path"] == mount.path
            assert thread["stack"][-1]["function"] == "read_settings"
            assert len(report["tasks"]) == 21 and all(task["stack"] and not task["gaps"] for task in report["tasks"])
            assert thread_states(target.pid)[target.pid] == ("D", 0)
        mount.answer()
        assert target.next_report() == {"read": CONTENT.decode()}
        assert [loop["state"] for loop in asyncspy.dump(target.pid)["loops"]] == ["idle"]


# The end of a stop -------------------------------------------------------------------------------------------------------

LARGE = os.path.join(HERE, "churn", "large.py")
NOT_READABLE = 4
CUT = re.compile(r"--max-pause\), when (\d+) of (\d+) KiB were copied: the rest is missing")


def test_a_stop_ends_in_time_and_the_report_says_what_is_missing(asyncspy, start, any_interpreter):
    target = start(any_interpreter, LARGE, 100000)
    tasks = target.next_report()["tasks"]

    def dump_within(milliseconds):
        done = asyncspy.run("dump", target.pid, "--format", "json", "--max-pause", milliseconds)
        assert not held_threads(target.pid)
        return done.returncode, json.loads(done.stdout.decode() or "null"), done.stderr.decode()

    code, whole, errors = dump_within(60000)
    assert code in (0, 1) and errors == "" and len(whole["tasks"]) == tasks
    assert not any("--max-pause" in warning for warning in whole["warnings"])
    short = 0
    needed = whole["capture"]["pause_seconds"] * 1e3
    for milliseconds in (1, max(1, int(needed / 4)), max(1, int(needed / 2))):
        code, report, errors = dump_within(milliseconds)
        if code == NOT_READABLE:
            assert "--max-pause" in errors and "hint: " in errors, errors
            short += 1
            continue
        assert code in (0, 1), errors
        if not any("--max-pause" in warning for warning in report["warnings"]):
            continue  # it was quick enough
        short += 1
        missing = report["gaps"] or any(each["gaps"] for each in report["tasks"] + report["loops"] + report["threads"])
        assert missing, "something was not copied, and nothing is missing"
        # Of what this stop was for: the target still grows meanwhile, so that earlier ones were for less.
        (copied, wanted), = [map(int, each) for each in CUT.findall("\n".join(report["warnings"]))]
        assert copied < wanted and copied * 1024 == report["capture"]["bytes_copied"]
    assert short, "no stop was cut short"
