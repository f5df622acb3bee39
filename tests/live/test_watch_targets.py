"""Targets of `asyncspy watch` come and go, in every way that processes do; it goes on, and leaves none of them held."""
import os
import re
import signal
import subprocess
import time

import pytest

import interpreters
from target import HERE, PATIENCE, held_threads, thread_states
from watcher import WATCHED

WORKERS = os.path.join(HERE, "services", "workers.py")
QUIET = ("--interval", "10ms", "--survey", 0, "--lag", 0, "--listen", "127.0.0.1:0")


@pytest.fixture
def named_program(tmp_path):
    """A copy of the service whose command line no other process has."""
    program = tmp_path / "service-{}.py".format(os.getpid())
    with open(WATCHED) as file:
        program.write_text(file.read())
    return program


def pattern_of(program):
    """An extended regular expression for its name."""
    return program.name.replace(".", "[.]")


def become(target, *words):
    target.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
    target.process.stdin.flush()


def descriptor_of(target):
    """The number that the program knows its pipe by."""
    with open("/proc/{}/cmdline".format(target.pid), "rb") as file:
        return file.read().split(b"\0")[2].decode()


def check_alive(watch, *targets):
    """It answers, and looks at these."""
    assert watch.get("/healthz")[0] == 200
    for each in targets:
        watch.wait_for_samples(each.pid)
        assert not held_threads(each.pid)


# Ends -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [None, signal.SIGKILL, signal.SIGSEGV], ids=lambda each: each.name if each else "exit")
def test_a_target_that_ends_is_said_and_the_others_are_watched_on(serve, watch, number):
    first, second = serve("busy"), serve("idle")
    running = watch(*QUIET, first.pid, second.pid)
    for each in (first, second):
        event = running.wait_for("target", pid=each.pid)
        assert "watched.py" in event["command"] and re.match(r"3\.\d+", event["python"])
        running.wait_for_samples(each.pid)
    if number:
        os.kill(first.pid, number)
    else:
        first.process.stdin.close()
    first.process.wait(PATIENCE)
    assert running.wait_for("target_ended", pid=first.pid)["reason"] == "exited"
    check_alive(running, second)
    assert not running.of("incident")
    # When the last of those that were named has ended, there is nothing left to do.
    second.process.kill()
    second.process.wait(PATIENCE)
    assert running.wait_for_end() == (0, "")
    assert running.of("target_ended", pid=second.pid)[0]["reason"] == "exited"
    assert (running.events[-1]["event"], running.events[-1]["signal"]) == ("stopped", None)


def test_a_target_that_is_killed_while_its_loop_is_blocked_leaves_a_whole_incident(serve, watch, asyncspy):
    """As a container that runs out of memory, or a liveness probe, does it."""
    target, other = serve("blocked"), serve("idle")
    running = watch(*QUIET, "--stall", "0.2s", target.pid, other.pid)
    event = running.wait_for("incident", pid=target.pid)
    target.process.kill()
    target.process.wait(PATIENCE)
    running.wait_for("target_ended", pid=target.pid)
    assert running.wait_for("stall_ended", pid=target.pid)["incident"] == event["id"]
    assert (event["trigger"], event["culprit"]["function"]) == ("stall", "fetch_rate")
    asyncspy.check_schema(running.read(event))
    check_alive(running, other)
    running.stop()


def test_targets_killed_at_any_moment_of_their_snapshot_do_no_harm(serve, watch):
    running = watch(*QUIET, "--stall", "20ms", "--same-cause", 0, "--rate", 0, "--match", "watched[.]py [0-9]+ blocked$")
    survivor = serve("idle")
    for _ in range(10):
        target = serve("blocked")
        running.wait_for("target", pid=target.pid)
        target.process.kill()
        target.process.wait(PATIENCE)
        running.wait_for("target_ended", pid=target.pid)
    assert running.process.poll() is None and not held_threads(survivor.pid)
    for event in running.of("incident"):
        assert event["file"] is None or running.read(event)["incident"]["id"] == event["id"]
    running.stop()


# Other programs ---------------------------------------------------------------------------------------------------------


def test_a_target_that_becomes_another_program_of_python_is_watched_as_that(serve, watch, any_interpreter):
    target = serve("idle")
    running = watch(*QUIET, "--stall", "0.2s", target.pid)
    running.wait_for("target", pid=target.pid)
    running.wait_for_samples(target.pid)
    become(target, any_interpreter.executable, WATCHED, descriptor_of(target), "blocked")
    target.next_report()
    assert running.wait_for("target_ended", pid=target.pid)["reason"] == "replaced"
    assert " blocked" in running.wait_for("target", 2, pid=target.pid)[1]["command"]
    event = running.wait_for("incident", pid=target.pid)
    assert (event["trigger"], event["culprit"]["function"]) == ("stall", "fetch_rate")
    assert running.read(event)["process"]["command_line"][-1:] == ["blocked"]
    check_alive(running, target)
    running.stop()


def test_a_target_that_becomes_another_release_of_python_is_read_by_its_layout(serve, watch, any_interpreter):
    others = [each for each in interpreters.matrix() if not each.root and each.version[:2] != any_interpreter.version[:2]]
    if not others and not interpreters.required():
        pytest.skip("no second Python here")
    target = serve("idle")
    running = watch(*QUIET, "--stall", "0.2s", target.pid)
    running.wait_for("target", pid=target.pid)
    become(target, others[0].executable, WATCHED, descriptor_of(target), "blocked")
    target.next_report()
    event = running.wait_for("incident", pid=target.pid)
    assert event["culprit"]["function"] == "fetch_rate"
    assert running.wait_for("target", 2, pid=target.pid)[1]["python"] == "{}.{}.{}".format(*others[0].version)
    running.stop()


def test_a_target_that_becomes_a_program_without_python_is_let_go(serve, watch):
    target, other = serve("idle"), serve("idle")
    running = watch(*QUIET, target.pid, other.pid)
    running.wait_for("target", pid=target.pid)
    become(target, "sleep", 1000)
    assert running.wait_for("target_ended", pid=target.pid)["reason"] == "replaced"
    check_alive(running, other)
    assert len(running.of("target", pid=target.pid)) == 1 and len(running.of("target_unreadable", pid=target.pid)) <= 1
    assert not held_threads(target.pid)
    running.stop()


def test_what_is_no_python_is_said_once_with_a_hint(serve, watch):
    target = serve("idle")
    with subprocess.Popen(["sleep", "1000"]) as sleeper:
        try:
            running = watch(*QUIET, sleeper.pid, target.pid)
            event = running.wait_for("target_unreadable", pid=sleeper.pid)
            assert event["error"] and event["hint"]
            running.wait_for("target", pid=target.pid)
            check_alive(running, target)
            check_alive(running, target)
            assert len(running.of("target_unreadable", pid=sleeper.pid)) == 1 and not running.of("target", pid=sleeper.pid)
            running.stop()
        finally:
            sleeper.kill()


# Many -------------------------------------------------------------------------------------------------------------------


def test_a_pattern_finds_a_service_each_time_that_it_is_started_again(serve, watch, named_program):
    running = watch(*QUIET, "--stall", "0.2s", "--match", pattern_of(named_program))
    for name in ("idle", "blocked", "busy"):
        target = serve(name, named_program)
        event = running.wait_for("target", pid=target.pid)
        assert named_program.name in event["command"] and event["namespace_pid"] == target.pid
        if name == "blocked":
            assert running.wait_for("incident", pid=target.pid)["culprit"]["function"] == "fetch_rate"
        target.process.kill()
        target.process.wait(PATIENCE)
        running.wait_for("target_ended", pid=target.pid)
    # asyncspy's own command line holds the pattern, too.
    assert running.pid not in {each["pid"] for each in running.of("target") + running.of("target_unreadable")}
    running.stop()


@pytest.mark.parametrize("by", ["match", "all"])
def test_forked_workers_are_found_and_so_are_those_that_take_their_place(start, any_interpreter, watch, tmp_path, by):
    program = tmp_path / "workers-{}.py".format(os.getpid())
    with open(WORKERS) as file:
        program.write_text(file.read())
    parent = start(any_interpreter, str(program))
    assert parent.next_report() == {"parent": parent.pid}

    def fork():
        become(parent, "fork")
        return parent.next_report()["worker"]

    workers = [fork() for _ in range(3)]
    running = watch(*QUIET, "--stall", "0.2s", "--same-cause", 0, *(("--match", pattern_of(program)) if by == "match" else ("--all",)))
    for each in workers:
        running.wait_for("target", pid=each)
        running.wait_for_samples(each)
    become(parent, "end", workers[0])
    parent.next_report()
    assert running.wait_for("target_ended", pid=workers[0])["reason"] == "exited"
    successor = fork()
    running.wait_for("target", pid=successor)
    running.wait_for_samples(successor)
    for each in (successor, workers[1]):
        os.kill(each, signal.SIGUSR1)
        event = running.wait_for("incident", pid=each)
        assert (event["trigger"], event["culprit"]["function"], event["task"]) == ("stall", "block_worker", None)
        assert running.read(event)["process"]["pid"] == each
    assert not running.of("incident", pid=workers[2])
    assert not held_threads(successor)
    running.stop()


def count_resources(pid):
    return len(os.listdir("/proc/{}/fd".format(pid))), len(os.listdir("/proc/{}/task".format(pid)))


def wait_for_count(pid, most):
    until = time.monotonic() + PATIENCE
    while any(now > then for now, then in zip(count_resources(pid), most)):
        assert time.monotonic() < until, "descriptors or threads: {}, at first {}".format(count_resources(pid), most)
        time.sleep(0.01)


def test_dozens_that_come_and_go_leave_nothing_behind(start, any_interpreter, watch, named_program):
    running = watch(*QUIET, "--match", pattern_of(named_program))
    running.wait_for("started")
    counts = []
    for wave in range(4):
        targets = [start(any_interpreter, str(named_program), ("idle", "busy", "leaking", "blocked")[number % 4]) for number in range(8)]
        for each in targets:
            running.wait_for("target", pid=each.pid)
        assert running.wait_for_metric(lambda now: now.value("asyncspy_target_up") == len(targets), "not all are up").value("asyncspy_targets") == len(targets)
        for number, each in enumerate(targets):
            each.process.stdin.close()
            if number % 2:
                each.process.kill()
            each.process.wait(PATIENCE)
        for each in targets:
            running.wait_for("target_ended", pid=each.pid)
        gone = running.wait_for_metric(lambda now: now.value("asyncspy_targets") == 0, "not all are gone")
        assert not gone.all("asyncspy_samples_total") and not gone.all("asyncspy_loop_lag_seconds_count"), gone.text
        counts.append(count_resources(running.pid))
        wait_for_count(running.pid, counts[0])  # the connection of the last request may be open for a moment
    assert len(running.of("target")) == len(running.of("target_ended")) == 32
    running.stop()


# Held by others -----------------------------------------------------------------------------------------------------------


def wait_for_state(pid, letter):
    until = time.monotonic() + PATIENCE
    while {state for state, _ in thread_states(pid).values()} != {letter}:
        assert time.monotonic() < until, "the target is not in state {}".format(letter)
        os.sched_yield()


def check_still_stopped(pid):
    """A thread whose tracer lets it go wakes for a moment, to stop again (__ptrace_unlink in the kernel's kernel/ptrace.c)."""
    wait_for_state(pid, "T")
    assert {tracer for _, tracer in thread_states(pid).values()} == {0}


def test_a_target_that_others_stop_stays_stopped_and_is_watched_when_it_goes_on(serve, watch, any_interpreter):
    target = serve("idle")
    running = watch(*QUIET, "--stall", "0.2s", target.pid)
    running.wait_for("target", pid=target.pid)
    running.wait_for_samples(target.pid)
    for _ in range(3):
        os.kill(target.pid, signal.SIGSTOP)
        wait_for_state(target.pid, "T")
        assert running.get("/snapshot?pid={}".format(target.pid))[0] == 200
        assert running.get("/healthz")[0] == 200
        check_still_stopped(target.pid)
        os.kill(target.pid, signal.SIGCONT)
        running.wait_for_samples(target.pid)
    assert not held_threads(target.pid) and not running.of("target_ended")
    become(target, any_interpreter.executable, WATCHED, descriptor_of(target), "blocked")
    target.next_report()
    assert running.wait_for("incident", pid=target.pid)["culprit"]["function"] == "fetch_rate"
    os.kill(target.pid, signal.SIGSTOP)
    wait_for_state(target.pid, "T")
    running.stop()
    check_still_stopped(target.pid)
    os.kill(target.pid, signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its root")
@pytest.mark.parametrize("root", interpreters.ROOT_NAMES)
def test_a_target_in_another_root_is_watched(start, watch, root):
    found = [each for each in interpreters.matrix() if each.origin == root]
    if not found and not interpreters.required():
        pytest.skip("no such root: scripts/make-roots")
    interpreter = max(found, key=lambda each: each.version)
    target = start(interpreter, WATCHED, "blocked")
    target.next_report()
    running = watch(*QUIET, "--stall", "0.2s", target.pid)
    event = running.wait_for("incident", pid=target.pid)
    assert (event["culprit"]["function"], event["culprit"]["file"]) == ("fetch_rate", WATCHED)
    assert running.wait_for("target", pid=target.pid)["python"] == "{}.{}.{}".format(*interpreter.version)
    assert not held_threads(target.pid)
    running.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make namespaces")
def test_a_target_in_another_pid_namespace_has_both_numbers(start, watch, any_interpreter, tmp_path):
    starter = tmp_path / "start"
    starter.write_text("#!/bin/bash\nexec unshare --pid --fork --kill-child --mount-proc '{}' \"$@\"\n".format(any_interpreter.executable))
    starter.chmod(0o755)
    target = start(interpreters.Interpreter(str(starter), any_interpreter.version, "test"), WATCHED, "blocked")
    target.next_report()
    with open("/proc/{0}/task/{0}/children".format(target.pid)) as file:
        (pid,) = map(int, file.read().split())
    running = watch(*QUIET, "--stall", "0.2s", pid)
    assert running.wait_for("target", pid=pid)["namespace_pid"] == 1
    assert running.wait_for("incident", pid=pid)["culprit"]["function"] == "fetch_rate"
    running.stop()


# What can not be begun ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(), ("abc",), ("--match", "("), ("--interval", "0", "1"), ("--interval", "fast", "1"), ("--keep", "-1", "1"),
                                       ("--keep-bytes", "many", "1"), ("--listen", "nowhere", "1"), ("--stall", "-1s", "1")], ids=" ".join)
def test_what_makes_no_sense_is_refused_as_usage(asyncspy, tmp_path, arguments):
    done = asyncspy.run("watch", "--directory", tmp_path / "incidents", *arguments)
    assert done.returncode == 2 and done.stderr and done.stdout == b""


def test_a_directory_that_can_not_be_made_is_refused_with_a_hint(asyncspy, tmp_path, serve):
    (tmp_path / "file").write_text("")
    done = asyncspy.run("watch", "--directory", tmp_path / "file" / "incidents", serve("idle").pid)
    assert done.returncode not in (0, 1) and done.stdout == b"" and b"incidents: " in done.stderr and b"hint: " in done.stderr


def test_a_process_that_is_not_there_is_said_and_the_watch_goes_on(serve, watch):
    target = serve("idle")
    running = watch(*QUIET, 1 << 22, target.pid)
    running.wait_for("target", pid=target.pid)
    check_alive(running, target)
    said = running.of("target_unreadable", pid=1 << 22) + running.of("target_ended", pid=1 << 22)
    assert len(said) == 1, running.story()
    running.stop()
