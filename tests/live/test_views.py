"""The views of a dump: the tree, one task, filters. What they show is held against the JSON of the same target, which
test_truth.py holds against the target itself."""
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

import interpreters
from target import PATIENCE, SITUATIONS

SCREEN = 50  # lines


def lines_of(asyncspy, target, *arguments):
    done = asyncspy.run("dump", target.pid, *arguments)
    assert done.returncode in (0, 1) and done.stderr == b"", done.stderr
    return done.stdout.decode("utf-8").splitlines()


def tree_of(asyncspy, target, *arguments):
    """The lines of the tree alone."""
    lines = lines_of(asyncspy, target, "--tree", *arguments)
    start = next(number for number, line in enumerate(lines) if line.startswith("TASKS"))
    end = next((number for number, line in enumerate(lines) if number > start and line.startswith("OTHER THREADS")), len(lines))
    return lines[start:end]


def test_a_chain_of_a_thousand_tasks_is_a_screen_and_with_all_a_line_for_each(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "task_chain")
    assert len(tree_of(asyncspy, target)) < SCREEN
    everything = tree_of(asyncspy, target, "--all")
    assert len(everything) < 1000 + 10 and max(map(len, everything)) < 300
    names = re.findall(r"\bTask-\d+\b", "\n".join(everything))
    assert sorted(names) == sorted(task["name"] for task in asyncspy.dump(target.pid)["tasks"])


def test_ten_thousand_waiters_on_one_future_are_one_row_of_the_tree(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "fan_in")
    tree = "\n".join(tree_of(asyncspy, target))
    assert tree.count("\n") < 20
    assert re.search(r"^  10,000 tasks  .*  waiter  .*fan_in\.py:\d+$", tree, re.M)
    assert re.search(r"\b4 tasks  .*  waiter  ", tree)


def test_a_cycle_of_tasks_is_named_and_ends(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "await_cycle")
    lines = lines_of(asyncspy, target, "--tree")
    cycle, = (line for line in lines if line.startswith("CYCLE"))
    names = re.findall(r"\bTask-\d+\b", cycle)
    waits = {task["id"]: task["wait"]["task"] for task in asyncspy.dump(target.pid)["tasks"]}
    ids = {task["name"]: task["id"] for task in asyncspy.dump(target.pid)["tasks"]}
    assert len(names) == 4 and names[0] == names[-1]
    assert all(waits[ids[one]] == ids[other] for one, other in zip(names, names[1:]))
    assert sum("= CYCLE: waits for" in line for line in lines) == 1


@pytest.mark.parametrize("name, arguments", [("diamond", []), ("random_graph", [1]), ("random_graph", [2]), ("gather_and_wait", []),
                                             ("task_group", []), ("primitives", []), ("odd_names", [])])
def test_every_task_is_in_the_tree_once(asyncspy, start, any_interpreter, name, arguments):
    target = start(any_interpreter, os.path.join(SITUATIONS, name + ".py"), *arguments)
    target.next_report()
    report = asyncspy.dump(target.pid)
    tree = tree_of(asyncspy, target, "--all")
    rows = [line for line in tree[1:] if line and not re.match(r"[ |`-]*= ", line)]
    shown = sum(int((re.match(r"[ |`-]*([\d,]+) tasks  ", row) or [0, "1"])[1].replace(",", "")) for row in rows
                if not re.match(r"[ |`-]*(Lock|Semaphore|Condition|Barrier|thread|job) ", row))
    assert shown == len(report["tasks"])
    assert len(tree) < 4 * len(report["tasks"]) + 10


def test_one_task_is_shown_with_who_waits_for_it_and_what_it_waits_for(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "task_chain")
    tasks = {task["id"]: task for task in asyncspy.dump(target.pid)["tasks"]}
    awaiting = {task["wait"]["task"]: task for task in tasks.values() if task["wait"]["kind"] == "task"}
    chosen = next(task for task in tasks.values() if task["wait"]["kind"] == "task" and task["id"] in awaiting)
    for word in (chosen["name"], chosen["id"]):
        text = "\n".join(lines_of(asyncspy, target, "--task", word))
        assert "TASK  {}\n".format(chosen["name"]) in text and chosen["id"] in text
        above, below = text.split("  WAITS FOR\n")
        assert "  WAITED FOR BY  1 directly, " in above
        assert re.search(r"^    {}  ".format(awaiting[chosen["id"]]["name"]), above, re.M)
        assert "`- {}  ".format(tasks[chosen["wait"]["task"]]["name"]) in below


def test_a_task_that_is_not_there_is_a_mistake_of_the_command_line(asyncspy, start_situation, any_interpreter):
    done = asyncspy.run("dump", start_situation(any_interpreter, "many_sleepers").pid, "--task", "nobody")
    assert done.returncode == 2 and done.stdout == b""
    assert b"task 'nobody': " in done.stderr and b"hint: " in done.stderr


def test_filters_select_what_the_json_says_and_count_what_they_leave_out(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "primitives")
    tasks = asyncspy.dump(target.pid)["tasks"]

    def passing(*arguments):
        text = "\n".join(lines_of(asyncspy, target, *arguments))
        passed, every, left_out = re.search(r"^  (\d+) of (\d+) tasks pass, (\d+) (?:is|are) left out$", text, re.M).groups()
        assert int(every) == len(tasks) and int(passed) + int(left_out) == len(tasks)
        return int(passed)

    primitives = {task["wait"]["primitive"].lower() for task in tasks if task["wait"]["kind"] == "primitive"}
    assert len(primitives) > 2
    for primitive in primitives:
        assert passing("--wait", primitive) == sum(task["wait"].get("primitive", "").lower() == primitive for task in tasks) > 0
    assert passing("--wait", "primitive") == sum(task["wait"]["kind"] == "primitive" for task in tasks)
    assert passing("--wait", "primitive", "--wait", "timer") == sum(task["wait"]["kind"] in ("primitive", "timer") for task in tasks)
    assert passing("--state", "pending") == sum(task["state"] == "pending" and not task["running"] for task in tasks)
    assert passing("--file", "*/queues.py") == sum(any(frame["file"].endswith("/queues.py") for frame in task["stack"]) for task in tasks)
    assert passing("--function", "Queue.") == sum(any("Queue." in frame["function"] for frame in task["stack"]) for task in tasks)
    assert passing("--name", tasks[0]["name"], "--name", "nobody") >= 1
    assert passing("--name", tasks[0]["name"], "--wait", "nothing") == 0
    assert passing("--loop", "1") == len(tasks) and passing("--loop", "2") == 0
    assert passing("--tree", "--wait", "primitive") == sum(task["wait"]["kind"] == "primitive" for task in tasks)


@pytest.mark.parametrize("arguments", [["--name", "x"], ["--tree"], ["--task", "x"], ["--wait", "timer"]], ids=" ".join)
def test_the_json_is_never_filtered(asyncspy, arguments):
    done = asyncspy.run("dump", "1", "--format", "json", *arguments)
    assert done.returncode == 2 and b"JSON" in done.stderr and b"hint: " in done.stderr


def test_a_state_that_does_not_exist_is_a_mistake(asyncspy):
    assert asyncspy.run("dump", "1", "--state", "asleep").returncode == 2


@pytest.mark.parametrize("name, arguments", [("diamond", []), ("random_graph", [1]), ("gather_and_wait", []), ("await_cycle", []),
                                             ("odd_names", []), ("crowd", [])])
def test_graphviz_draws_the_picture(asyncspy, start, any_interpreter, name, arguments):
    target = start(any_interpreter, os.path.join(SITUATIONS, name + ".py"), *arguments)
    target.next_report()
    dot = shutil.which("dot")
    if dot is None and not interpreters.required():
        pytest.skip("no Graphviz here")
    assert dot, "no Graphviz here"
    # Of many tasks only the first names are in a label: those that could do harm are asked for.
    only = ["--name", "*evil*", "--name", "*quote*"] if name == "odd_names" else []
    done = asyncspy.run("dump", target.pid, "--format", "dot", *only)
    assert done.returncode in (0, 1) and done.stderr == b"", done.stderr
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)
    drawn = subprocess.run([dot, "-Tsvg"], input=done.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
    assert drawn.returncode == 0 and drawn.stderr == b"", drawn.stderr
    picture = xml.etree.ElementTree.fromstring(drawn.stdout)
    kinds = [each.get("class") for each in picture.iter("{http://www.w3.org/2000/svg}g")]
    text = done.stdout.decode()
    assert kinds.count("node") == len(re.findall(r"^  (?:r\d+|left_out) \[", text, re.M)) > 0
    assert kinds.count("edge") == len(re.findall(r"^  r\d+ -> r\d+\b", text, re.M))
    shown = "\n".join(each.text or "" for each in picture.iter("{http://www.w3.org/2000/svg}text"))
    if name == "crowd":
        assert "10,000 tasks" in shown and kinds.count("node") < 10
    if name == "odd_names":
        assert r"\x1b]0;evil\x07\x1b[31m" in shown and 'quote " back \\' in shown
    if name == "await_cycle":
        assert text.count("color=red") == 6
