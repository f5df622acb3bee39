"""Each kind of wait and each construct, held against what the program itself knows: deadlines, holders, ports, sizes, threads."""
import os

import pytest

import interpreters
from target import HERE, SITUATIONS

SUITED = [each for each in interpreters.matrix() if each.version[:2] >= (3, 8)]  # whose tasks can be renamed
CLOSE = 5  # seconds between the program's look at the clock and asyncio's


def near(found, about):
    return found is not None and abs(found - about) < CLOSE


class Judge:
    """Collects what differs."""

    def __init__(self, report):
        self.report = report
        self.differences = []
        self.comparisons = 0
        self.subject = ""

    def same(self, what, found, expected):
        self.comparisons += 1
        if found != expected:
            self.differences.append("{}: {} is {!r}, should be {!r}".format(self.subject, what, found, expected))

    def holds(self, what, truth, shown):
        self.comparisons += 1
        if not truth:
            self.differences.append("{}: {}: {!r}".format(self.subject, what, shown))

    def wait(self, name, facts):
        self.subject = name
        named = [task for task in self.report["tasks"] if task["name"] == name]
        if len(named) != 1:
            self.differences.append("{}: {} tasks of that name".format(name, len(named)))
            return
        task, = named
        wait = task["wait"]
        self.same("kind", wait["kind"], facts["kind"])
        if wait["kind"] != facts["kind"]:
            self.differences.append("{}: {}".format(name, wait))
            return
        for key in ("primitive", "object", "operation", "construct", "pending", "total", "task", "pid"):
            if key in facts:
                self.same(key, wait[key], facts[key])
        if "tasks" in facts:
            self.same("tasks", sorted(wait["tasks"]), facts["tasks"])
        if "fd" in facts:
            self.same("fd", wait["descriptor"], facts["fd"])
        if "about" in facts:
            self.holds("deadline", near(wait["deadline"], facts["about"]), wait)
        if "named" in facts:
            self.same("awaited task", [each["name"] for each in self.report["tasks"] if each["id"] == wait["task"]], [facts["named"]])
        if "deadline" in facts:
            self.holds("timeout", task["deadline"] and near(task["deadline"]["when"], facts["deadline"]["about"]), task["deadline"])
            if "construct" in facts["deadline"]:
                self.same("timeout", task["deadline"] and task["deadline"]["construct"], facts["deadline"]["construct"])
        else:
            self.same("timeout", task["deadline"], None)
        self.thing(wait, facts.get("thing"))
        self.descriptor(facts.get("descriptor"))
        self.job(wait, facts.get("job"))
        self.child(facts.get("child"))

    def awaited_by(self, links):
        """What the graph says must agree with the links that asyncio itself keeps from 3.14 on."""
        waiters = {}
        for task in self.report["tasks"]:
            wait = task["wait"]
            for other in wait.get("tasks", []) + ([wait["task"]] if wait["kind"] == "task" else []):
                waiters.setdefault(other, set()).add(task["id"])
        for task, expected in links.items():
            self.subject = next((each["name"] for each in self.report["tasks"] if each["id"] == task), task)
            self.same("awaited by", sorted(waiters.get(task, ())), expected)

    def thing(self, wait, facts):
        if facts is None:
            return
        thing, = (each for each in self.report["primitives"] if each["id"] == wait["object"])
        found = {fact["name"]: fact["value"] for fact in thing["facts"]}
        for key, value in facts.get("facts", {}).items():
            self.same(key, found.get(key), value)
        if "waiters" in facts:
            self.same("waiters", thing["waiters"], facts["waiters"])
            self.same("strange waiters", thing["strange_waiters"], 0)
        if "holders" in facts:
            self.same("holders", sorted(each["task"] for each in thing["holders"]), facts["holders"])
            self.same("certain", all(each["certain"] for each in thing["holders"]), facts["certain"])
        for key in ("lock", "descriptor"):
            if key in facts:
                self.same(key, thing[key], facts[key])

    def descriptor(self, facts):
        if facts is None:
            return
        found = next((each for each in self.report["descriptors"] if each["number"] == facts["number"]), {})
        for key, value in facts.items():
            self.same("descriptor's " + key, found.get(key), value)

    def job(self, wait, facts):
        if facts is None:
            return
        job, = (each for each in self.report["jobs"] if each["id"] == wait["job"])
        for key, value in facts.items():
            if key == "tid":
                self.same("thread of job", job["thread"] is not None and self.report["threads"][job["thread"]]["namespace_tid"], value)
            else:
                self.same("job's " + key, job[key], value)

    def child(self, facts):
        if facts is None:
            return
        found = next((each for each in self.report["children"] if each["namespace_pid"] == facts["pid"]), {})
        self.same("state of child", found.get("state"), facts["state"])
        self.holds("command of child", "input()" in found.get("command", ""), found)


@pytest.mark.parametrize("interpreter", SUITED, ids=lambda each: each.label)
@pytest.mark.parametrize("variant", ["c_tasks", "no_accelerator"])
def test_every_wait_is_what_the_program_says_it_is(asyncspy, start, interpreter, variant):
    program = os.path.join(SITUATIONS, "every_wait.py")
    if variant == "c_tasks":
        target = start(interpreter, program)
    else:
        target = start(interpreter, os.path.join(HERE, "variant.py"), variant, program)
    settled = target.next_report()
    report = asyncspy.dump(target.pid)
    judge = Judge(report)
    for name, facts in settled["promise"]["expected"].items():
        judge.wait(name, facts)
    judge.awaited_by(settled["promise"]["awaited_by"])
    if interpreter.version[:2] >= (3, 14) and variant == "c_tasks":
        assert len(settled["promise"]["awaited_by"]) >= 6
    print("{} comparisons".format(judge.comparisons))
    assert not judge.differences, "\n".join(judge.differences)
    assert judge.comparisons > 150


@pytest.mark.parametrize("interpreter", SUITED, ids=lambda each: each.label)
def test_a_task_that_is_executing_is_found_to_hold_the_lock_that_it_is_inside_of(asyncspy, start_situation, interpreter):
    target = start_situation(interpreter, "running_holder")
    report = asyncspy.dump(target.pid)
    lock, = (each for each in report["primitives"] if each["id"] == target.settled["promise"]["lock"])
    running, = (each for each in report["tasks"] if each["running"])
    assert running["stack"][-1]["function"].endswith("transfer")
    assert [each["task"] for each in lock["holders"]] == [running["id"]], lock
    assert "running" in lock["holders"][0]["how"] or lock["holders"][0]["certain"], lock
    assert len(lock["waiters"]) == 1
