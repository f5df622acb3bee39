"""Stored recordings, one for each release of Python, still say what they said (scripts/make-recordings writes both)."""
import glob
import json
import os

import pytest

from report_differences import differences

RECORDINGS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "recordings")
STORED = sorted(glob.glob(os.path.join(RECORDINGS, "*.recording")))


def load(path):
    with open(path) as file:
        return json.load(file)


def test_there_is_a_recording_of_every_supported_release():
    names = {os.path.basename(path) for path in STORED}
    assert names == {"cpython-3.{}.recording".format(minor) for minor in range(7, 16)}


@pytest.mark.parametrize("path", STORED, ids=os.path.basename)
def test_a_stored_recording_yields_the_stored_report(asyncspy, path):
    done = asyncspy.run("dump", path, "--format", "json")
    assert done.returncode in (0, 1) and done.stderr == b"", done.stderr
    report = json.loads(done.stdout)
    asyncspy.check_schema(report)
    del report["tool"]["version"]
    found = differences(report, load(os.path.splitext(path)[0] + ".json"))
    assert not found, "\n".join(["if this is meant to be so: scripts/make-recordings --render"] + found[:20])


@pytest.mark.parametrize("path", STORED, ids=os.path.basename)
def test_what_is_stored_is_what_the_program_does(path):
    """The stored reports are held against the source of the program that was recorded, not only against themselves."""
    report = load(os.path.splitext(path)[0] + ".json")
    assert not report["gaps"] and not any(each["gaps"] for part in ("tasks", "loops", "threads") for each in report[part])
    with open(os.path.join(RECORDINGS, "service.py")) as file:
        source = file.read().splitlines()
    assert sorted(task["stack"][0]["function"] for task in report["tasks"] if task["stack"]) == sorted(
        ["main", "waits_for_event", "takes", "takes", "gets", "gathers", "sleeps", "sleeps", "sleeps", "awaits", "shielded",
         "reads", "handles"])
    for frame in (frame for task in report["tasks"] for frame in task["stack"] if frame["file"].endswith("service.py")):
        if frame["running"]:
            assert frame["function"] in ("render", "handles"), frame
        else:
            assert "await " in source[frame["line"] - 1] or "async with " in source[frame["line"] - 1], frame
    loop, = report["loops"]
    running, = (task for task in report["tasks"] if task["running"])
    assert loop["state"] == "blocked" and loop["current_task"] == running["id"]
    assert [frame["function"] for frame in running["stack"]] == ["handles", "render"]
    assert report["threads"][0]["system_call"]["name"] in ("clock_nanosleep", "pselect6")
    waits = [task["wait"] for task in report["tasks"]]
    assert sorted(wait["deadline"] - report["capture"]["monotonic_seconds"] > 1000 for wait in waits if wait["kind"] == "timer") == [True] * 4
