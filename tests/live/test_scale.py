"""What is large or tangled in the target stays small and readable on the screen."""
import re

import pytest

SCREENS = 100  # lines: two screens


def text_of(asyncspy, target, *arguments):
    done = asyncspy.run("dump", target.pid, *arguments)
    assert done.returncode in (0, 1) and done.stderr == b"", done.stderr
    return done.stdout.decode("utf-8")


def test_ten_thousand_equal_tasks_are_one_block(asyncspy, start_situation, any_interpreter):
    text = text_of(asyncspy, start_situation(any_interpreter, "crowd"))
    assert len(text.splitlines()) < SCREENS
    assert len(re.findall(r"\bvisitor\b.*crowd\.py:\d+|crowd\.py:\d+.*\bvisitor\b", text)) == 1
    assert re.search(r"\b10[,.' ]?000\b", text)


def test_ten_thousand_tasks_in_hundreds_of_stacks_fit_on_two_screens_with_the_largest_groups(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "many_stacks")
    report = asyncspy.dump(target.pid)
    assert len(report["tasks"]) > 8000 and len(report["groups"]) > 150
    text = text_of(asyncspy, target)
    assert len(text.splitlines()) <= SCREENS
    names = {task["id"]: task["stack"][0]["function"] for task in report["tasks"]}
    largest = [names[group["tasks"][0]] for group in sorted(report["groups"], key=lambda group: -group["count"])[:3]]
    assert largest == ["largest", "second", "third"]
    for name in largest:
        assert re.search(r"\b{} .*many_stacks\.py:\d+".format(name), text), name
    assert re.search(r"\.\.\. and \d+ more groups with [\d,]+ tasks: --all shows them", text)


@pytest.mark.parametrize("name", ["diamond", "await_cycle", "deep_chain", "task_awaits_task", "many_sleepers"])
def test_a_tangle_of_tasks_is_shown_on_a_few_screens(asyncspy, start_situation, any_interpreter, name):
    text = text_of(asyncspy, start_situation(any_interpreter, name))
    assert len(text.splitlines()) < 4 * SCREENS
    assert name + ".py:" in text


@pytest.mark.parametrize("name", ["many_sleepers", "generator_links", "sockets", "blocked_in_sleep", "loops_in_threads"])
def test_a_target_at_rest_reads_the_same_without_a_stop(asyncspy, start_situation, any_interpreter, name):
    target = start_situation(any_interpreter, name)
    stopped, running = asyncspy.dump(target.pid), asyncspy.dump(target.pid, "--no-pause")
    assert (stopped["capture"]["mode"], running["capture"]["mode"]) == ("stopped", "running")
    assert stopped["capture"]["stops"] >= 1 and stopped["capture"]["pause_seconds"] > 0
    assert running["capture"]["stops"] == 0 and running["capture"]["pause_seconds"] == 0
    by_id = [sorted(report["tasks"], key=lambda task: task["id"]) for report in (stopped, running)]
    for left, right in zip(*by_id):
        assert {key: left[key] for key in left if key != "wait"} == {key: right[key] for key in right if key != "wait"}
        assert left["wait"]["kind"] == right["wait"]["kind"]
    assert len(by_id[0]) == len(by_id[1]) == target.settled["promise"]["tasks"]
