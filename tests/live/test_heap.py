"""dump --heap, held against what the program knows of its own objects."""
import json

import pytest

import interpreters

SUITED = pytest.mark.parametrize("interpreter", [each for each in interpreters.matrix() if each.version[:2] >= (3, 8)], ids=lambda each: each.label)
CLOSE = 200  # objects that the program's own account of itself makes and drops


def counts_of(report):
    return {(each["kind"], each["name"].rpartition(".")[2]): (each["count"], each["open"]) for each in report["objects"]}


def read(asyncspy, recording):
    done = asyncspy.run("dump", recording, "--heap", "--format", "json")
    assert done.returncode in (0, 1) and done.stderr == b"", done.stderr
    report = json.loads(done.stdout)
    asyncspy.check_schema(report)
    return report


@SUITED
def test_the_heap_is_what_the_garbage_collector_says_it_is(asyncspy, start_situation, interpreter):
    target = start_situation(interpreter, "heap")
    report = asyncspy.dump(target.pid, "--heap")
    assert not report["gaps"]
    assert abs(report["capture"]["heap_objects"] - target.settled["promise"]["tracked"]) < CLOSE
    counts = counts_of(report)
    assert counts[("coroutine", "never_started")] == (4, None)
    assert counts[("async_generator", "feed")] == (2, None)  # the third one is in a frame
    writers, open_writers = counts[("instance", "StreamWriter")]
    assert (writers, open_writers) == (6, writers - 1) or (writers, open_writers) == (6, 4), counts  # its other end may be closed, too
    ended = sorted(task["name"] for task in report["tasks"] if task["state"] == "finished" and task["name"].startswith("ended-"))
    assert ended == ["ended-{}".format(number) for number in range(5)]
    text = asyncspy.run("dump", target.pid, "--heap").stdout.decode()
    assert "4 coroutines of never_started" in text and "2 async generators of feed" in text


def test_without_the_option_the_heap_is_not_looked_at(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "heap")
    report = asyncspy.dump(target.pid)
    assert report["capture"]["heap_objects"] is None and report["objects"] == []


def test_a_recording_of_everything_has_the_heap_and_a_small_one_says_that_it_has_not(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "heap")
    live = asyncspy.dump(target.pid, "--heap")
    full, small = tmp_path / "full", tmp_path / "small"
    assert asyncspy.run("capture", "--full", target.pid, "-o", full).returncode == 0
    assert asyncspy.run("capture", target.pid, "-o", small).returncode == 0
    report = read(asyncspy, full)
    assert counts_of(report) == counts_of(live) and report["capture"]["heap_objects"] == live["capture"]["heap_objects"]
    report = read(asyncspy, small)
    assert report["capture"]["heap_objects"] is not None or any(gap["reading"] == "heap" for gap in report["gaps"])
