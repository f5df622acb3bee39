"""Programs that change thousands of times a second: no dump of a stopped target mixes two moments, and without a stop whatever
is torn ends in bounded time, as gaps or as a clear error."""
import json
import os

import pytest

import interpreters
from churn_rules import CHURN, RULES, Verdict
from target import held_threads

SUITED = [each for each in interpreters.matrix() if each.version[:2] >= (3, 8)]  # whose tasks can be renamed
EVERYWHERE = pytest.mark.parametrize("interpreter", SUITED, ids=lambda each: each.label)
SHAPES = {"chains": ("chains", 300, 1), "threads": ("chains", 100, 3), "gathers": ("gathers", 8), "queues": ("queues", 100)}
DUMPS = 10
UNHURRIED = ("--max-pause", 20000)  # a stop that a loaded machine delays is not what these tests are about
NOT_READABLE = 4


def start_churning(start, interpreter, shape):
    program, *arguments = SHAPES.get(shape, shape) if isinstance(shape, str) else shape
    target = start(interpreter, os.path.join(CHURN, program + ".py"), *arguments)
    return target, target.next_report(), RULES[program]


def check(verdict, least):
    print("{} tasks compared, {} with gaps, {} wrong".format(verdict.compared, verdict.gaps, len(verdict.faults)))
    assert not verdict.faults, "{} faults:\n{}".format(len(verdict.faults), "\n".join(verdict.faults[:10]))
    assert verdict.compared >= least
    assert verdict.gaps <= verdict.compared / 1000, "{} of {} tasks have gaps".format(verdict.gaps, verdict.compared)


@pytest.mark.parametrize("shape", sorted(SHAPES))
@EVERYWHERE
def test_no_dump_of_a_churning_target_mixes_two_moments(asyncspy, start, interpreter, shape):
    target, started, judge = start_churning(start, interpreter, shape)
    total = Verdict()
    for _ in range(DUMPS):
        report = asyncspy.dump(target.pid, *UNHURRIED)
        assert report["capture"]["mode"] == "stopped"
        total.add(judge(report, started))
    check(total, DUMPS * 50)


def test_a_hundred_dumps_of_five_thousand_churning_tasks_are_consistent(asyncspy, start, any_interpreter):
    target, started, judge = start_churning(start, any_interpreter, ("chains", 5000, 1))
    total = Verdict()
    for _ in range(100):
        # Not checked against the schema each time: that takes longer than all the rest.
        done = asyncspy.run("dump", target.pid, "--format", "json", *UNHURRIED)
        assert done.returncode in (0, 1), done.stderr
        total.add(judge(json.loads(done.stdout.decode()), started))
    check(total, 500000)
    assert not held_threads(target.pid)


def count_gaps(report):
    owners = [report] + report["tasks"] + report["threads"] + report["loops"]
    return sum(len(owner["gaps"]) for owner in owners)


@pytest.mark.parametrize("shape", sorted(SHAPES))
@EVERYWHERE
def test_a_churning_target_is_read_without_a_stop_in_bounded_time(asyncspy, start, interpreter, shape):
    target, _, _ = start_churning(start, interpreter, shape)
    read = gaps = 0
    for _ in range(DUMPS):
        done = asyncspy.run("dump", target.pid, "--format", "json", "--no-pause")
        assert done.returncode in (0, 1, NOT_READABLE), (done.returncode, done.stderr)
        assert bool(done.stderr) == (done.returncode == NOT_READABLE)
        if done.returncode == NOT_READABLE:
            assert done.stderr.startswith(b"asyncspy: ") and b"hint: " in done.stderr
            continue
        report = json.loads(done.stdout.decode())
        asyncspy.check_schema(report)
        assert (report["capture"]["mode"], report["capture"]["stops"]) == ("running", 0)
        read += 1
        gaps += count_gaps(report)
    print("{} of {} dumps, {} gaps".format(read, DUMPS, gaps))
    assert read > 0
    assert target.process.poll() is None
