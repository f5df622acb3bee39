"""Each failure that is got into on purpose has its finding, with the right rule, line and confidence; healthy programs have none."""
import json
import os
import time

import pytest

import interpreters
from conftest import is_alarm
from target import PATIENCE, SITUATIONS

PITFALLS = os.path.join(SITUATIONS, "pitfalls.py")
HEALTHY = os.path.join(SITUATIONS, "healthy.py")
RELEASES = ((3, 8), (3, 11), (3, 13), (3, 15))

# situation: rule, confidence, severity, first release that has what the rule needs
EXPECTED = {
    "blocking_sleep": ("P01", "observed", "error", (3, 8)),
    "blocking_socket": ("P01", "observed", "warning", (3, 8)),
    "blocking_pipe": ("P01", "observed", "warning", (3, 8)),
    "blocking_child": ("P01", "observed", "warning", (3, 8)),
    "blocking_callback": ("P01", "observed", "error", (3, 8)),
    "processor": ("P02", "observed", "error", (3, 8)),
    "thread_queue": ("P03", "observed", "error", (3, 8)),
    "thread_lock": ("P03", "observed", "error", (3, 8)),
    "job_result": ("P03", "observed", "error", (3, 8)),
    "own_result": ("P03", "proven", "error", (3, 8)),
    "worker_and_loop": ("P03", "proven", "error", (3, 8)),
    "lock_order": ("P08", "proven", "error", (3, 8)),
    "lock_twice": ("P08", "proven", "error", (3, 8)),
    "ring": ("P08", "proven", "error", (3, 8)),
    "never_released": ("P09", "suspected", "warning", (3, 8)),
    "executor_full": ("P11", "observed", "warning", (3, 8)),
    "swallowed": ("P13", "observed", "warning", (3, 8)),
    "dealt_with": ("P13", "suspected", "info", (3, 11)),
    "wrong_thread": ("P16", "proven", "warning", (3, 8)),
    "full_executor_in_gather": ("P11", "observed", "warning", (3, 8)),
    "nested_loops": ("P17", "observed", "warning", (3, 8)),
    "full_queue": ("P19", "observed", "warning", (3, 8)),
    "never_done": ("P19", "observed", "warning", (3, 8)),
    "shutdown": ("P22", "observed", "warning", (3, 8)),
    "unretrieved": ("P04", "observed", "warning", (3, 8)),
    "lost_task": ("P05", "proven", "warning", (3, 8)),
    "never_awaited": ("P06", "observed", "info", (3, 8)),
    "bare_future": ("P07", "suspected", "info", (3, 8)),
    "no_timeout": ("P12", "observed", "info", (3, 8)),
    "orphans": ("P14", "observed", "warning", (3, 8)),
    "hidden_failures": ("P14", "observed", "info", (3, 8)),
    "shielded": ("P15", "observed", "info", (3, 8)),
    "crowd": ("P18", "suspected", "info", (3, 8)),
    "generators": ("P20", "observed", "warning", (3, 8)),
    "request": ("P23", "observed", "info", (3, 8)),
    "stuck_group": ("P24", "observed", "warning", (3, 11)),
    "open_pipe": ("P26", "observed", "warning", (3, 8)),
}
NEED_HEAP = {"unretrieved", "never_awaited", "generators"}
# Whose situation has another failure in it, by itself.
WITH_OTHERS = {"shutdown", "shielded", "request"}


def chosen():
    """One interpreter of each release."""
    found = {}
    for each in interpreters.matrix():
        found.setdefault(each.version[:2], each)
    return [found[release] for release in RELEASES if release in found]


def line_of(name, program="pitfalls.py"):
    mark = "# here: " + name if program == "pitfalls.py" else "# here"
    with open(os.path.join(SITUATIONS, program)) as file:
        lines = [number for number, line in enumerate(file, 1) if line.rstrip().endswith(mark)]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("interpreter", chosen(), ids=lambda each: each.label)
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_failure_has_its_finding(asyncspy, start, record_finding, interpreter, name):
    rule, confidence, severity, since = EXPECTED[name]
    target = start(interpreter, PITFALLS, name)
    target.next_report()
    options = ["--heap"] if name in NEED_HEAP else []
    report = asyncspy.dump(target.pid, *options)
    all_found = [(each["rule"], each["confidence"], each["severity"]) for each in report["findings"]]
    expected = (rule, confidence, severity)
    found = [each for each in all_found if each == expected or each[2] != "info"]
    is_there = interpreter.version >= since
    record_finding(rule, name, interpreter, expected in found, [each for each in found if each != expected], is_there)
    if not is_there:
        assert not found
        return
    assert expected in found, report["findings"]
    finding = next(each for each in report["findings"] if (each["rule"], each["confidence"], each["severity"]) == expected)
    place = "pitfalls.py:{}".format(line_of(name))
    culprit = finding["culprit"] and "{}:{}".format(os.path.basename(finding["culprit"]["file"]), finding["culprit"]["line"])
    assert culprit == place or any(place in each for each in finding["evidence"]), finding
    assert finding["evidence"] and finding["fix"]
    text = asyncspy.run("dump", target.pid, "--color", "never", "--all-findings", *options).stdout.decode()
    assert "FINDINGS" in text and "{} {} ({})".format(rule, severity, confidence) in text
    wrong = [each for each in found if each != expected and each[1] != "suspected"]
    assert not wrong or name in WITH_OTHERS, report["findings"]


def wait_for_finding(asyncspy, pid, rule):
    """The report in which it is found, and the finding. For what no process can say of itself."""
    until = time.monotonic() + PATIENCE
    while True:
        report = asyncspy.dump(pid)
        found = [each for each in report["findings"] if each["rule"] == rule]
        if found or time.monotonic() > until:
            assert found, report["findings"]
            return report, found[0]


INSTALLED = """
import asyncio, os, socket, sys

pair = socket.socketpair()


def deliver():
    pair[0].recv(1)


async def handle():
    deliver()


async def serve():
    os.write(int(sys.argv[1]), b'"ready"\\n')
    await handle()


asyncio.run(serve())
"""


def test_of_a_server_that_is_run_as_it_was_installed_the_coroutine_is_named_that_makes_the_call(asyncspy, start, any_interpreter, tmp_path):
    program = tmp_path / "site-packages" / "mail.py"
    program.parent.mkdir()
    program.write_text(INSTALLED)
    target = start(any_interpreter, str(program))
    target.next_report()
    finding = wait_for_finding(asyncspy, target.pid, "P01")[1]
    assert finding["culprit"]["function"] == "handle" and finding["culprit"]["file"] == str(program)
    assert finding["culprit"]["line"] == INSTALLED.split("\n").index("    deliver()") + 1
    assert "calls mail.deliver, which waits in recvfrom" in json.dumps(finding)


@pytest.mark.parametrize("interpreter", chosen(), ids=lambda each: each.label)
def test_a_fork_that_waits_for_a_lock_of_its_parent_is_found(asyncspy, start, record_finding, interpreter):
    target = start(interpreter, os.path.join(SITUATIONS, "forked.py"))
    child = target.next_report()["child"]
    report, finding = wait_for_finding(asyncspy, child, "P27")
    assert report["process"]["forked_from"] == target.pid and len(report["threads"]) == 1
    assert (finding["confidence"], finding["severity"]) == ("proven", "error")
    assert (os.path.basename(finding["culprit"]["file"]), finding["culprit"]["line"]) == ("forked.py", line_of("here", "forked.py"))
    others = [each["rule"] for each in report["findings"] if is_alarm(each) and each["rule"] != "P27"]
    record_finding("P27", "forked", interpreter, True, others, True)
    assert not others
    assert asyncspy.dump(target.pid)["process"]["forked_from"] is None


@pytest.mark.parametrize("interpreter", chosen(), ids=lambda each: each.label)
def test_a_thread_that_keeps_the_interpreter_lock_makes_the_loop_late(asyncspy, start, record_finding, interpreter):
    target = start(interpreter, os.path.join(SITUATIONS, "greedy.py"))
    target.next_report()
    until = time.monotonic() + PATIENCE
    finding = {"severity": "info"}
    while finding["severity"] == "info" and time.monotonic() < until:
        report, finding = wait_for_finding(asyncspy, target.pid, "P21")
    assert (finding["confidence"], finding["severity"]) == ("proven", "warning") and finding["at_least_seconds"] >= 1
    greedy = [each["tid"] for each in report["threads"] if each["stack"][-1:] and each["stack"][-1]["function"] == "compute"]
    assert len(greedy) == 1 and greedy[0] in finding["threads"]
    assert any("greedy.py:{}".format(line_of("here", "greedy.py")) in each or "compute" in each for each in finding["evidence"])
    others = [each["rule"] for each in report["findings"] if is_alarm(each) and each["rule"] != "P21"]
    record_finding("P21", "greedy", interpreter, True, others, True)
    assert not others


@pytest.mark.parametrize("interpreter", chosen(), ids=lambda each: each.label)
def test_tasks_that_grow_in_number_and_never_end_are_found_in_several_samples(asyncspy, start, record_finding, interpreter):
    target = start(interpreter, os.path.join(SITUATIONS, "leaking.py"))
    target.next_report()
    report = asyncspy.dump(target.pid, "--samples", 3, "--interval", 0.5)
    found = [each for each in report["findings"] if each["rule"] == "P18"]
    assert len(found) == 1 and found[0]["confidence"] == "observed", report["findings"]
    assert (os.path.basename(found[0]["culprit"]["file"]), found[0]["culprit"]["line"]) == ("leaking.py", line_of("here", "leaking.py"))
    others = [each["rule"] for each in report["findings"] if is_alarm(each) and each["rule"] != "P18"]
    record_finding("P18", "leaking", interpreter, True, others, True)
    assert not others


@pytest.mark.parametrize("interpreter", chosen(), ids=lambda each: each.label)
@pytest.mark.parametrize("name", ["idle", "sleepers", "workers", "signals", "subprocess", "executor", "connections", "throttle", "condition",
                                  "timeouts", "threads", "streams", "nothing", "group", "datagrams", "busy"])
def test_a_healthy_program_has_no_finding(asyncspy, start, interpreter, name):
    target = start(interpreter, HEALTHY, name)
    target.next_report()
    for _ in range(3):
        report = asyncspy.dump(target.pid)
        assert report["tasks"] and not [each for each in report["findings"] if is_alarm(each)], report["findings"]


def test_explain_knows_every_rule_and_fail_on_sets_the_exit_code(asyncspy, start, any_interpreter):
    listed = asyncspy.run("explain", "list").stdout.decode()
    for rule in sorted({each[0] for each in EXPECTED.values()}):
        assert rule in listed
        done = asyncspy.run("explain", rule.lower())
        assert done.returncode == 0 and done.stdout.decode().startswith(rule)
    assert asyncspy.run("explain", "P99").returncode == 2
    target = start(any_interpreter, PITFALLS, "never_released")
    target.next_report()
    assert [asyncspy.run("dump", target.pid, "--fail-on", word).returncode for word in ("proven", "observed", "suspected")] == [0, 0, 1]
    target = start(any_interpreter, PITFALLS, "executor_full")
    target.next_report()
    assert [asyncspy.run("dump", target.pid, "--fail-on", word).returncode for word in ("proven", "observed", "suspected")] == [0, 1, 1]
    target = start(any_interpreter, PITFALLS, "ring")
    target.next_report()
    assert asyncspy.run("dump", target.pid, "--fail-on", "proven").returncode == 1
