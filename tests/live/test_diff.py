"""asyncspy diff says what the service says that it did between the two looks."""
import collections
import json
import os

import jsonschema
import pytest

import interpreters
from conftest import SCHEMA
from target import HERE, SITUATIONS

CHANGING = os.path.join(HERE, "services", "changing.py")
RELEASES = ((3, 7), (3, 8), (3, 11), (3, 13), (3, 15))
CHOSEN = [each for each in interpreters.matrix() if each.version[:2] in RELEASES]
on_releases = pytest.mark.parametrize("interpreter", CHOSEN, ids=lambda each: each.label)


@pytest.fixture(scope="module")
def diff_schema():
    with open(os.path.join(os.path.dirname(SCHEMA), "diff.schema.json")) as file:
        return json.load(file)


@pytest.fixture
def diff(asyncspy, diff_schema):
    def run_diff(before, after):
        done = asyncspy.run("diff", before, after, "--format", "json")
        assert done.returncode == 0 and done.stderr == b"", done.stderr
        found = json.loads(done.stdout)
        jsonschema.Draft202012Validator(diff_schema).validate(found)
        assert sum(found["counts"].values()) == len(found["tasks"])
        return found
    return run_diff


def store(asyncspy, target, path):
    done = asyncspy.run("dump", target.pid, "--format", "json", "-o", path)
    assert done.returncode in (0, 1) and done.stderr == b"", done.stderr
    return path


def take_step(target):
    os.write(target.process.stdin.fileno(), b"\n")
    return target.next_report()


@on_releases
def test_what_moved_and_what_did_not_is_what_the_service_did(asyncspy, start, diff, tmp_path, interpreter):
    target = start(interpreter, CHANGING)
    target.next_report()
    before = store(asyncspy, target, tmp_path / "before.json")
    truth = take_step(target)
    after = store(asyncspy, target, tmp_path / "after.json")
    found = diff(before, after)
    ids = collections.defaultdict(set)
    for task in found["tasks"]:
        ids[task["fate"]].add(task["id"])
    assert found["same_process"] and found["seconds"] > 0
    assert ids["still"] >= set(truth["stay"]) and len(ids["still"]) <= len(truth["stay"]) + 2  # and main and the one that joins, perhaps
    assert set(truth["move"]) <= ids["moved"] and len(ids["moved"]) <= len(truth["move"]) + 2
    listed = set(truth["done"]) if interpreter.version < (3, 14) else set()  # from 3.14 on a task that is done is in no list
    assert ids["done"] == listed
    if interpreter.version >= (3, 8):  # in 3.7 tasks have no names: a new one in the place of an old one of its kind passes for it
        assert ids["new"] == set(truth["new"]) and ids["gone"] == set(truth["gone"]) | (set(truth["done"]) - listed)
        assert all(task["certain"] for task in found["tasks"])
    growth = {group["place"]["function"]: group["after"] - group["before"] for group in found["groups"]}
    assert growth["newcomer"] == 9 and growth["stays"] == 0
    assert [(each["size_before"], each["size_after"]) for each in found["primitives"]] == [(1, 51)]
    text = asyncspy.run("diff", before, after).stdout.decode()
    assert "  7 tasks  " in text and "GROWN  " in text and "+9  0 -> 9  newcomer" in text and "+50  1 -> 51  Queue 0x" in text


def test_a_service_at_rest_is_still(asyncspy, start_situation, any_interpreter, diff, tmp_path):
    target = start_situation(any_interpreter, "every_wait")
    before, after = (store(asyncspy, target, tmp_path / name) for name in ("before.json", "after.json"))
    found = diff(before, after)
    moved = [task for task in found["tasks"] if task["fate"] != "still"]
    assert not moved, moved
    assert not found["primitives"] and all(group["before"] == group["after"] for group in found["groups"])


def test_a_blocked_step_is_the_same_one_in_both(asyncspy, start_situation, any_interpreter, diff, tmp_path):
    target = start_situation(any_interpreter, "blocked_in_sleep")
    before, after = (store(asyncspy, target, tmp_path / name) for name in ("before.json", "after.json"))
    loop, = diff(before, after)["loops"]
    assert loop["same_step"] and loop["before"]["state"] == loop["after"]["state"] == "blocked"
    assert ", at the same place in both" in asyncspy.run("diff", before, after).stdout.decode()


def test_recordings_are_compared_like_reports(asyncspy, start, any_interpreter, diff, tmp_path):
    target = start(any_interpreter, CHANGING)
    target.next_report()
    assert asyncspy.run("capture", target.pid, "-o", tmp_path / "before").returncode == 0
    take_step(target)
    store(asyncspy, target, tmp_path / "after.json")
    counts = diff(tmp_path / "before", tmp_path / "after.json")["counts"]
    assert counts["done"] == 4 and counts["new"] == 9 and counts["gone"] == 3


def test_reports_in_the_wrong_order_and_of_other_processes_are_told(asyncspy, start_situation, any_interpreter, diff, tmp_path):
    target = start_situation(any_interpreter, "many_sleepers")
    before, after = (store(asyncspy, target, tmp_path / name) for name in ("before.json", "after.json"))
    done = asyncspy.run("diff", after, before)
    assert done.returncode == 2 and b"is older than" in done.stderr and b"hint: asyncspy diff" in done.stderr
    other = store(asyncspy, start_situation(any_interpreter, "many_sleepers"), tmp_path / "other.json")
    found = diff(before, other)
    assert not found["same_process"] and not found["tasks"] and not found["loops"]
    assert all(group["before"] == group["after"] for group in found["groups"])
    assert "this is not the process of the first report" in asyncspy.run("diff", before, other).stdout.decode()


def test_escape_sequences_in_names_come_out_escaped(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "odd_names")
    first = store(asyncspy, target, tmp_path / "before.json")
    report = json.loads(first.read_bytes())
    names = [task["name"] for task in report["tasks"]]
    for task in report["tasks"]:
        task["id"] = hex(int(task["id"], 16) + 8)  # so that all are new, and the old ones gone
        task["stack"] = [{**frame, "file": frame["file"] + "\x1b[31m"} for frame in task["stack"]]
    report["groups"] = []
    (tmp_path / "after.json").write_text(json.dumps(report))
    for arguments in ([], ["--all"], ["--format", "json"]):
        done = asyncspy.run("diff", first, tmp_path / "after.json", *arguments)
        assert done.returncode == 0
        text = done.stdout.decode("utf-8")
        assert not any(ord(letter) < 32 and letter != "\n" or letter in "\x7f\x80\x9b\u202e" for letter in text)
        assert any("\x1b" in name for name in names) and (r"\x1b]0;evil" in text or r"\u001b]0;evil" in text or arguments == [])


@on_releases
def test_samples_tell_how_long_tasks_have_been_where_they_are(asyncspy, start, interpreter, tmp_path):
    target = start(interpreter, CHANGING)
    truth = target.next_report()
    report = asyncspy.dump(target.pid, "--samples", 3, "--interval", 0.1)
    assert report["capture"]["samples"] == 3 and report["capture"]["stops"] >= 3
    waiting = {task["id"]: task["waiting_at_least_seconds"] for task in report["tasks"]}
    for each in truth["stay"] + truth["move"]:  # of which none has been told to go on
        assert waiting[each] == report["capture"]["sampled_seconds"] > 0
    (tmp_path / "stored.json").write_text(json.dumps(report))
    shown = asyncspy.run("show", tmp_path / "stored.json", "--waiting-longer-than", 0, "--function", "stays").stdout.decode()
    assert "20 of {} tasks pass".format(len(report["tasks"])) in shown and "= seen here in every sample of the last " in shown


def test_what_only_several_samples_tell_is_not_told_by_one(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "many_sleepers")
    stored = store(asyncspy, target, tmp_path / "one.json")
    for arguments in (["dump", target.pid], ["show", stored]):
        done = asyncspy.run(*arguments, "--waiting-longer-than", 1)
        assert done.returncode == 2 and b"one look" in done.stderr and b"--samples" in done.stderr
    report = asyncspy.dump(target.pid)
    assert report["capture"]["samples"] == 1 and all(task["waiting_at_least_seconds"] is None for task in report["tasks"])


@pytest.mark.parametrize("arguments", [["--samples", "0"], ["--samples", "x"], ["--interval", "1"], ["--samples", "2", "--interval", "-1"]], ids=" ".join)
def test_samples_that_make_no_sense_are_a_mistake(asyncspy, arguments):
    assert asyncspy.run("dump", os.getpid(), *arguments).returncode == 2


def test_a_file_has_no_samples(asyncspy):
    recording = os.path.join(os.path.dirname(HERE), "recordings", "cpython-3.11.recording")
    done = asyncspy.run("dump", recording, "--samples", "2")
    assert done.returncode == 2 and b"asyncspy diff" in done.stderr


@pytest.mark.parametrize("arguments", [["nothing.json", "nothing.json"], [SITUATIONS, SITUATIONS], []], ids=["absent", "folders", "none"])
def test_what_is_no_report_is_a_mistake(asyncspy, arguments):
    assert asyncspy.run("diff", *arguments).returncode == 2
