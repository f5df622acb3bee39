"""Calls in C between Python's frames, held against what the program knows of its own stacks."""
import json
import os
import signal
import subprocess
import time

import pytest

import interpreters
from target import PATIENCE, SITUATIONS, thread_states


def merged(thread):
    """The thread's stack as one list, outermost first: "py NAME" and "c FILE"."""
    native = thread["native"]
    assert native["apart"] is None and native["problem"] is None, native
    calls, frames, order = native["calls"], thread["stack"], []
    placed = 0
    for call in calls:
        assert placed <= call["python_frames"] <= len(frames), call
        order += ["py " + frame["function"].rsplit(".", 1)[-1] for frame in frames[placed:call["python_frames"]]]
        placed = call["python_frames"]
        order.append("loop" if call["runs_python"] else "c " + os.path.basename(call["module"]))
    return order + ["py " + frame["function"].rsplit(".", 1)[-1] for frame in frames[placed:]]


def outline(order, wanted):
    """What of the order is Python from the first wanted function on, and the libraries that are wanted, equal ones once."""
    libraries = {each for each in wanted if each.startswith("c ")}
    order = order[order.index(wanted[0]):]
    found = []
    for each in order:
        if each.startswith("c "):
            each = next((library for library in libraries if each[2:].startswith(tuple(library[2:].split(" or ")))), None)
        if each and each != "loop" and not (each.startswith("c ") and found[-1] == each):
            found.append(each)
    return found


def check_stacks(report, stacks):
    for tid, wanted in stacks.items():
        thread, = (each for each in report["threads"] if each["namespace_tid"] == int(tid))
        order = merged(thread)
        assert outline(order, wanted) == wanted, order
        # Each Python function is executed by a loop that is further out, and the innermost call is the one that sleeps.
        assert order.index("loop") < min(i for i, each in enumerate(order) if each.startswith("py "))
        assert order[-1].startswith("c libc.so"), order


@pytest.mark.parametrize("interpreter", interpreters.matrix(), ids=lambda each: each.label)
def test_calls_in_c_and_in_python_are_in_the_order_in_which_they_were_made(asyncspy, start_situation, tmp_path, interpreter):
    target = start_situation(interpreter, "native_calls")
    stacks = target.settled["promise"]["stacks"]
    assert len(stacks) == 5
    live = asyncspy.dump(target.pid, "--native")
    check_stacks(live, stacks)
    # The same from a recording, whose reader needs neither the process nor its files.
    recording = tmp_path / "recording"
    done = asyncspy.run("capture", "--native", target.pid, "-o", recording)
    assert done.returncode == 0, done.stderr
    check_stacks(read(asyncspy, recording, "--native"), stacks)
    assert not any("native" in each for each in read(asyncspy, recording)["threads"])


def read(asyncspy, file, *arguments):
    done = asyncspy.run("dump", file, "--format", "json", *arguments)
    assert done.returncode in (0, 1) and done.stderr == b"", done.stderr
    report = json.loads(done.stdout)
    asyncspy.check_schema(report)
    return report


def test_a_dump_without_the_option_has_no_calls_in_c(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "native_calls")
    assert not any("native" in each for each in asyncspy.dump(target.pid)["threads"])
    recording = tmp_path / "recording"
    assert asyncspy.run("capture", target.pid, "-o", recording).returncode == 0
    done = asyncspy.run("dump", recording, "--native")
    assert done.returncode == 2 and b"holds no native stacks" in done.stderr and b"capture --native" in done.stderr


def test_a_process_that_is_not_stopped_has_no_calls_in_c_and_that_is_said(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "native_calls")
    report = asyncspy.dump(target.pid, "--native", "--no-pause")
    assert not any("native" in each for each in report["threads"])
    assert any("no native stacks" in warning for warning in report["warnings"])


def test_a_stored_report_with_calls_in_c_is_shown_as_it_was(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "native_calls")
    recording, stored = tmp_path / "recording", tmp_path / "report.json"
    assert asyncspy.run("capture", "--native", target.pid, "-o", recording).returncode == 0
    stored.write_bytes(asyncspy.run("dump", recording, "--native", "-f", "json").stdout)
    assert asyncspy.run("show", stored, "-f", "json").stdout == stored.read_bytes()
    for view in ([], ["--all"], ["--threads"]):
        text = asyncspy.run("dump", recording, "--native", *view).stdout
        assert asyncspy.run("show", stored, *view).stdout == text and b"  C  " in text


def test_a_core_file_has_calls_in_c(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "native_calls")
    subprocess.run(["gcore", "-o", str(tmp_path / "core"), str(target.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True,
                   timeout=PATIENCE)
    core, = tmp_path.glob("core.*")
    check_stacks(read(asyncspy, core, "--native"), target.settled["promise"]["stacks"])


def test_calls_in_c_of_a_process_that_stands_still_already(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "native_calls")
    os.kill(target.pid, signal.SIGSTOP)
    until = time.monotonic() + PATIENCE
    while {state for state, _ in thread_states(target.pid).values()} != {"T"}:
        assert time.monotonic() < until
        os.sched_yield()
    report = read(asyncspy, target.pid, "--native")
    assert {state for state, _ in thread_states(target.pid).values()} == {"T"}
    check_stacks(report, target.settled["promise"]["stacks"])


def test_text_shows_calls_in_c_where_they_belong(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "native_calls")
    text = asyncspy.run("dump", target.pid, "--native").stdout.decode()
    lines = text[text.index("runs task"):text.index("OTHER THREADS")].splitlines()
    words = [line.split() for line in lines if line.strip()]
    order = [each[1] if each[0] in (">", "async") else "C" if each[0] == "C" else each[0] for each in words[1:]]
    order = [each for i, each in enumerate(order) if i == 0 or each != order[i - 1]]
    wanted = ["main", "outer", "C", "outer.<locals>.<lambda>", "calls_back", "C", "called_back", "C"]
    assert [each for each in order if each in wanted][-7:] == wanted[-7:], text
    assert any(each[0] == "C" and ("libffi" in " ".join(each) or "_ctypes" in " ".join(each)) for each in words), text


def wait_for_call(pid, number):
    """Returns when the thread is in the system call."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with open("/proc/{}/syscall".format(pid)) as file:
            if file.read().split()[0] == str(number):
                return
        os.sched_yield()
    raise AssertionError("the thread is in no such call")


@pytest.mark.parametrize("interpreter", interpreters.matrix(), ids=lambda each: each.label)
def test_a_thread_that_holds_the_gil_inside_of_c_is_told(asyncspy, start, interpreter):
    target = start(interpreter, os.path.join(SITUATIONS, "holds_gil_in_c.py"))
    target.next_report()
    wait_for_call(target.pid, 230)  # clock_nanosleep
    report = asyncspy.dump(target.pid, "--native")
    thread = report["threads"][0]
    assert thread["holds_gil"] and thread["system_call"]["name"] == "clock_nanosleep"
    assert [loop["state"] for loop in report["loops"]] == ["blocked"]
    order = merged(thread)
    wanted = ["py main", "c libffi or _ctypes", "c libc.so"]
    assert outline(order, wanted) == wanted, order
