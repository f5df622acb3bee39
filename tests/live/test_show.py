"""A stored report is shown again as it was shown at first: byte by byte, on any machine."""
import json
import os
import subprocess

import pytest

from target import SITUATIONS
from test_recordings import RECORDINGS, STORED

VIEWS = ([], ["--all"], ["--threads"], ["--tree"], ["--tree", "--all"], ["--task", "*"], ["--name", "Task-[1-4]"], ["--format", "dot"],
         ["--format", "json"], ["--color", "always"])


def output_of(asyncspy, *arguments, **options):
    done = asyncspy.run(*arguments, **options)
    assert done.returncode in (0, 1) and done.stderr == b"", (arguments, done.stderr)
    return done.stdout


def check_views(asyncspy, recording, stored, *options):
    for view in VIEWS:
        assert output_of(asyncspy, "show", stored, *view) == output_of(asyncspy, "dump", recording, *options, *view), view


@pytest.mark.parametrize("path", STORED, ids=os.path.basename)
def test_the_json_of_every_stored_recording_is_shown_as_the_recording_is(asyncspy, path, tmp_path):
    stored = tmp_path / "report.json"
    stored.write_bytes(output_of(asyncspy, "dump", path, "--format", "json"))
    check_views(asyncspy, path, stored)


@pytest.mark.parametrize("path", STORED, ids=os.path.basename)
def test_every_stored_report_is_read_and_written_again_without_a_loss(asyncspy, path):
    golden = os.path.splitext(path)[0] + ".json"
    again = json.loads(output_of(asyncspy, "show", golden, "--format", "json"))
    assert again["tool"].pop("version") == ""
    with open(golden) as file:
        assert again == json.load(file)


@pytest.mark.parametrize("name, arguments, options", [("every_wait", [], []), ("values", [], ["--locals"]), ("odd_names", [], []),
                                                      ("random_graph", [3], []), ("pile_up", [], []), ("loops_in_threads", [], []),
                                                      ("odd_timers", [], []), ("many_stacks", [], [])])
def test_a_live_report_is_shown_as_its_recording_is(asyncspy, start, any_interpreter, tmp_path, name, arguments, options):
    target = start(any_interpreter, os.path.join(SITUATIONS, name + ".py"), *arguments)
    target.next_report()
    live, recording, stored = tmp_path / "live.json", tmp_path / "recording", tmp_path / "report.json"
    live.write_bytes(output_of(asyncspy, "dump", target.pid, *options, "--format", "json"))
    assert output_of(asyncspy, "show", live, "--format", "json") == live.read_bytes()
    output_of(asyncspy, "capture", target.pid, *options, "-o", recording)
    stored.write_bytes(output_of(asyncspy, "dump", recording, *options, "--format", "json"))
    check_views(asyncspy, recording, stored, *options)
    assert output_of(asyncspy, "show", recording) == output_of(asyncspy, "dump", recording)


def test_a_report_is_shown_from_standard_input_and_into_a_file(asyncspy, tmp_path):
    with open(os.path.join(RECORDINGS, "cpython-3.11.json"), "rb") as golden:
        shown = output_of(asyncspy, "show", "-", "-o", tmp_path / "shown", stdin=golden)
    assert shown == b""
    assert (tmp_path / "shown").read_bytes() == output_of(asyncspy, "show", os.path.join(RECORDINGS, "cpython-3.11.json"))


def test_what_a_newer_asyncspy_wrote_is_said_to_be_left_out(asyncspy, tmp_path):
    with open(os.path.join(RECORDINGS, "cpython-3.11.json")) as file:
        report = json.load(file)
    report["tool"]["version"] = "9.9\x1b[31m"
    for task in report["tasks"]:
        task["colour"] = "red"
    (tmp_path / "newer.json").write_text(json.dumps(report))
    done = asyncspy.run("show", tmp_path / "newer.json")
    assert done.returncode in (0, 1) and done.stdout
    assert b"by asyncspy 9.9\\x1b[31m" in done.stderr and b"tasks[].colour" in done.stderr and b"\x1b" not in done.stderr


@pytest.mark.parametrize("content, code", [(b"", 4), (b"{", 4), (b"[]", 4), (b"{}", 4), (b"hello", 4), (b'{"schema_version": 2}', 5), (b"\x7fELF", 4)],
                         ids=["empty", "cut", "array", "bare", "text", "later", "elf"])
def test_what_is_no_report_is_refused_with_a_hint(asyncspy, tmp_path, content, code):
    (tmp_path / "no-report").write_bytes(content)
    done = asyncspy.run("show", tmp_path / "no-report")
    assert done.returncode == code and done.stdout == b"", done.stderr
    assert b"no-report" in done.stderr


def test_a_file_that_is_not_there_is_a_mistake(asyncspy, tmp_path):
    assert asyncspy.run("show", tmp_path / "nothing").returncode == 2
    assert asyncspy.run("show", tmp_path).returncode == 2


def test_show_needs_no_process_and_no_python(asyncspy):
    """Nothing of the machine that the report is from: it is read in an empty root."""
    with open(os.path.join(RECORDINGS, "cpython-3.11.json"), "rb") as golden:
        done = subprocess.run([asyncspy.binary, "show", "-"], stdin=golden, stdout=subprocess.PIPE, env={}, cwd="/", check=False)
    assert done.returncode in (0, 1) and done.stdout.startswith(b"process ")
