"""dump --locals: variables are those that the target knows, short, harmless to a terminal, and secrets stay where they are."""
import json
import os

import pytest

import interpreters
from target import HERE, SITUATIONS, held_threads
from test_truth import OLDEST

RELEASES = ((3, 8), (3, 11), (3, 13), (3, 15))
CHOSEN = [each for each in interpreters.matrix() if each.version[:2] in RELEASES]
WITH_VARIABLES = ("blocked_in_sleep", "blocked_in_generator", "diamond", "executor", "gather_and_wait", "generator_links", "loops_in_threads",
                  "odd_awaitables", "odd_functions", "primitives", "sockets", "task_group", "deep_chain")
CASES = [pytest.param(each, name, id="{}-{}".format(name, each.label)) for name in WITH_VARIABLES for each in CHOSEN if each.version >= OLDEST[name]]
on_releases = pytest.mark.parametrize("interpreter", CHOSEN, ids=lambda each: each.label)


def frames_of(dump, function):
    return [frame for task in dump["tasks"] for frame in task["stack"] if frame["function"] == function]


def variables_of(dump, function):
    (frame,) = frames_of(dump, function)
    assert frame["locals"]["gap"] is None and frame["locals"]["left_out"] == 0
    return {each["name"]: each["value"] for each in frame["locals"]["variables"]}


def compare_variables(known, shown, where):
    """How many values were compared."""
    frames = [frame for frame in shown if frame["kind"] != "opaque"]
    links = [link for link in known if link["kind"] != "opaque"]
    assert [link["function"] for link in links] == [frame["function"] for frame in frames], where
    compared = 0
    for link, frame in zip(links, frames):
        place = "{}: {}:{}".format(where, frame["file"], frame["line"])
        assert frame["locals"]["gap"] is None, place
        variables = {each["name"]: each["value"] for each in frame["locals"]["variables"]}
        assert sorted(variables) == sorted(link["variables"]), place
        for name, value in link["variables"].items():
            assert "<unreadable" not in variables[name], (place, name, variables[name])
            if value is not None:
                assert variables[name] == value, (place, name)
            compared += 1
    return compared


@pytest.mark.parametrize("interpreter, name", CASES)
def test_every_frame_has_the_variables_that_the_target_says(asyncspy, start, interpreter, name):
    target = start(interpreter, os.path.join(SITUATIONS, name + ".py"))
    settled = target.next_report()
    dump = asyncspy.dump(target.pid, "--locals", "--no-mask")
    account = target.ask_account(variables=True)
    shown = {task["id"]: task for task in dump["tasks"]}
    compared = sum(compare_variables(task["stack"], shown[task["id"]]["stack"], task["name"]) for task in account["tasks"])
    threads = {thread["namespace_tid"]: thread for thread in dump["threads"]}
    for thread in account["threads"]:
        compared += compare_variables(thread["stack"], threads[thread["tid"]]["stack"], "thread {}".format(thread["tid"]))
    assert compared > 10
    assert settled["reporter"] in threads


@on_releases
def test_values_of_every_kind_are_told_right_and_short(asyncspy, start_situation, interpreter):
    target = start_situation(interpreter, "values")
    dump = asyncspy.dump(target.pid, "--locals")
    variables = variables_of(dump, "values")
    for name, value in target.settled["promise"]["values"].items():
        assert variables[name] == value, name
    assert "undone" not in variables
    assert all(len(value) < 1000 for value in variables.values())
    assert target.process.poll() is None  # nobody has run its code


@on_releases
def test_secrets_are_masked_in_every_format_unless_they_are_asked_for(asyncspy, start_situation, interpreter):
    target = start_situation(interpreter, "values")
    variables = variables_of(asyncspy.dump(target.pid, "--locals"), "secrets")
    for name, value in target.settled["promise"]["secrets"].items():
        assert variables[name] == value, name
    for form in ("text", "json"):
        masked = asyncspy.run("dump", target.pid, "--locals", "--all", "--format", form).stdout
        assert b"hunter" not in masked and b"<masked>" in masked
        shown = asyncspy.run("dump", target.pid, "--locals", "--all", "--format", form, "--no-mask").stdout
        assert shown.count(b"hunter2") > 10


@on_releases
def test_escape_sequences_in_values_do_not_reach_the_terminal(asyncspy, start_situation, interpreter):
    target = start_situation(interpreter, "values")
    for form in ("text", "json"):
        for arguments in ((), ("--all",)):
            written = asyncspy.run("dump", target.pid, "--locals", "--color", "never", "--format", form, *arguments).stdout.decode()
            assert "evil" in written
            assert not [each for each in written if (ord(each) < 32 and each != "\n") or 0x7F <= ord(each) < 0xA0 or each == "\u202e"]


def test_without_being_asked_a_dump_has_no_values(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "values")
    dump = asyncspy.dump(target.pid)
    assert not any("locals" in frame for task in dump["tasks"] for frame in task["stack"])
    assert b"hunter" not in asyncspy.run("dump", target.pid, "--all").stdout


@on_releases
def test_a_recording_with_locals_tells_what_the_process_told(asyncspy, start_situation, interpreter, tmp_path):
    target = start_situation(interpreter, "values")
    live = asyncspy.dump(target.pid, "--locals", "--no-mask")
    path = str(tmp_path / "with")
    assert asyncspy.run("capture", target.pid, "--locals", "-o", path).returncode == 0
    done = asyncspy.run("dump", path, "--locals", "--no-mask", "--format", "json")
    recorded = json.loads(done.stdout.decode())
    assert recorded["warnings"] == live["warnings"]
    for one, other in zip(live["tasks"], recorded["tasks"]):
        assert one["stack"] == other["stack"]


def test_a_recording_without_locals_says_so(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "values")
    path = str(tmp_path / "without")
    assert asyncspy.run("capture", target.pid, "-o", path).returncode == 0
    done = asyncspy.run("dump", path, "--locals", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert any("recorded without --locals" in each for each in json.loads(done.stdout.decode())["warnings"])


@on_releases
def test_values_of_a_process_that_runs_on_are_bounded_and_harmless(asyncspy, start, interpreter):
    """Nothing is stopped: what is read may be freed, reused or half written."""
    target = start(interpreter, os.path.join(HERE, "churn", "queues.py"), 200)
    target.next_report()
    read = 0
    for _ in range(10):
        done = asyncspy.run("dump", target.pid, "--locals", "--no-pause", "--format", "json")
        assert done.returncode in (0, 1, 4), (done.returncode, done.stderr)
        assert not held_threads(target.pid)
        if done.returncode in (0, 1):
            report = json.loads(done.stdout.decode())
            asyncspy.check_schema(report)
            read += 1
            for task in report["tasks"]:
                for frame in task["stack"]:
                    assert all(len(each["value"]) < 5000 for each in frame.get("locals", {"variables": []})["variables"])
    assert read > 0
