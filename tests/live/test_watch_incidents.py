"""What makes an incident, what is kept of it, and for how long."""
import ctypes
import json
import os
import re
import signal

import pytest

import interpreters
from target import HERE, SITUATIONS, held_threads
from watcher import WATCHED, partial_files

PITFALLS = os.path.join(SITUATIONS, "pitfalls.py")
MNT_DETACH = 2
# A step of 0.15 s is a stall, and every stall has a file of its own.
EACH = ("--stall", "100ms", "--interval", "10ms", "--lag", 0, "--survey", 0, "--same-cause", 0, "--rate", 0)
LONG = 0.15


def line_of(path, text):
    with open(path) as file:
        found = [number for number, line in enumerate(file, 1) if text in line]
    assert len(found) == 1
    return found[0]


def make_incidents(running, stalling, count, kind="sleep_soundly", way="in_own_task"):
    """So many stalls, one after the other was told. Returns their events."""
    events = []
    for _ in range(count):
        before = len(running.of("incident"))
        stalling.stall(kind, way, LONG)
        running.wait_for("incident", before + 1)
        events.append(running.of("incident")[before])
    return events


# What triggers ------------------------------------------------------------------------------------------------------------


def test_a_stall_is_kept_with_its_culprit_its_findings_and_the_samples_before(asyncspy, serve, watch):
    target = serve("blocked")
    running = watch("--stall", "0.3s", "--interval", "10ms", target.pid)
    event = running.wait_for("incident")
    assert (event["trigger"], event["pid"], event["suppressed"], event["error"]) == ("stall", target.pid, None, None)
    culprit = event["culprit"]
    assert (culprit["function"], culprit["file"], culprit["line"]) == ("fetch_rate", WATCHED, line_of(WATCHED, "time.sleep(100000)"))
    assert event["seconds"] >= 0.3 and "P01" in event["findings"] and event["blocked_in_snapshot"] is True and event["pause_ms"] > 0
    assert "fetch_rate" in event["cause"]
    report = running.read(event)
    asyncspy.check_schema(report)
    assert [loop["state"] for loop in report["loops"]] == ["blocked"] and report["process"]["pid"] == target.pid
    incident = report["incident"]
    assert (incident["id"], incident["loop"], incident["cause"]) == (event["id"], report["loops"][0]["id"], event["cause"])
    task = next(each for each in report["tasks"] if each["id"] == incident["task"])
    assert task["running"] and task["stack"][0]["function"] == "handler"
    samples = incident["samples"]
    assert [each["seconds"] for each in samples] == sorted(each["seconds"] for each in samples) and samples[-1]["seconds"] <= 0
    assert samples[-1]["stack"][-1]["function"] == "fetch_rate"
    assert not held_threads(target.pid)
    running.stop()


def test_an_incident_is_shown_and_compared_as_any_report(asyncspy, stalling, watch):
    running = watch(*EACH, stalling.pid)
    running.wait_for("target")
    first, second = make_incidents(running, stalling, 2)
    running.stop()
    paths = [os.path.join(running.directory, each["file"]) for each in (first, second)]
    done = asyncspy.run("show", paths[0])
    assert done.returncode in (0, 1) and done.stderr == b""
    text = done.stdout.decode()
    assert "sleep_soundly" in text and "stall" in text
    done = asyncspy.run("show", paths[0], "--format", "json")
    with open(paths[0]) as file:
        assert json.loads(done.stdout.decode()) == json.load(file)
    done = asyncspy.run("diff", *paths)
    assert done.returncode in (0, 1) and done.stdout and done.stderr == b""


def test_the_samples_before_a_stall_show_what_ran_before_it(stalling, watch):
    running = watch(*EACH, "--ring", "5s", stalling.pid)
    running.wait_for("target")
    first, second = make_incidents(running, stalling, 1, "burn") + make_incidents(running, stalling, 1, "sleep_soundly")
    samples = running.read(second)["incident"]["samples"]
    assert samples[0]["seconds"] >= -5
    seen = {frame["function"] for each in samples for frame in each["stack"]}
    assert {"burn", "sleep_soundly"} <= seen and running.read(first)["incident"]["culprit"]["function"] == "burn"
    running.stop()


def test_a_stall_that_goes_on_is_one_incident_and_its_end_is_said(stalling, watch):
    running = watch(*EACH, stalling.pid)
    running.wait_for("target")
    entry, = stalling.stall("sleep_soundly", "by_call_later", 10 * LONG)
    ended = running.wait_for("stall_ended")
    event, = running.of("incident")
    assert ended["incident"] == event["id"] and event["culprit"]["function"] == "sleep_soundly"
    longest = entry["after"] - entry["before"]
    assert event["seconds"] - event["pause_ms"] / 1e3 - 1e-6 <= ended["seconds"] <= longest
    running.stop()


def test_loops_of_one_process_that_stall_at_one_moment_are_incidents_each(asyncspy, start, any_interpreter, watch):
    target = start(any_interpreter, os.path.join(HERE, "services", "two_loops.py"))
    target.next_report()
    running = watch(*EACH, target.pid)
    running.wait_for("target")
    for turn in range(1, 6):
        target.process.stdin.write(b"stall\n")
        target.process.stdin.flush()
        running.wait_for("stall_ended", 2 * turn)
        running.wait_for("incident", 2 * turn)
    running.stop()
    events = running.of("incident")
    assert sorted(each["culprit"]["function"] for each in events) == ["stall_first"] * 5 + ["stall_second"] * 5
    assert len({each["file"] for each in events}) == 10 == len(running.files())
    for event in events:
        report = running.read(event)
        assert (report["incident"]["id"], report["incident"]["culprit"]["function"]) == (event["id"], event["culprit"]["function"])
        loops = {each["loop"] for each in report["incident"]["samples"]}
        assert loops == {report["incident"]["loop"]} == {event["loop"]}


def test_a_signal_takes_a_snapshot_of_every_target(asyncspy, serve, watch):
    targets = [serve("idle"), serve("busy")]
    running = watch("--interval", "10ms", *(each.pid for each in targets))
    for each in targets:
        running.wait_for("target", pid=each.pid)
    for turn in (1, 2):
        os.kill(running.pid, signal.SIGUSR1)
        for each in targets:
            running.wait_for("incident", turn, pid=each.pid, trigger="signal")
    for each in targets:
        event = running.of("incident", pid=each.pid)[0]
        report = running.read(event)
        asyncspy.check_schema(report)
        assert report["process"]["pid"] == each.pid and report["incident"]["trigger"] == "signal" and event["suppressed"] is None
        assert not held_threads(each.pid)
    assert len(running.of("incident")) == 4
    running.stop()


def test_a_request_gets_a_report_that_is_not_kept(asyncspy, serve, watch):
    target = serve("idle")
    running = watch("--interval", "10ms", "--listen", "127.0.0.1:0", target.pid)
    running.wait_for("target")
    status, kind, body = running.get("/snapshot?pid={}".format(target.pid))
    assert status == 200 and kind.startswith("application/json")
    report = json.loads(body.decode())
    asyncspy.check_schema(report)
    assert report["process"]["pid"] == target.pid and len(report["tasks"]) == 62
    assert not running.files() and not partial_files(running.directory)
    assert not held_threads(target.pid)
    for wrong in ("pid={}".format(os.getpid()), "pid=1", "pid=0", "pid=-1", "pid=abc", "pid=", "", "pid=99999999999999999999"):
        assert running.get("/snapshot?" + wrong)[0] in (400, 404), wrong
    running.stop()


def test_a_proven_finding_is_an_incident_once(asyncspy, serve, watch):
    target = serve("lock_order", PITFALLS)
    running = watch("--interval", "10ms", "--survey", "100ms", "--listen", "127.0.0.1:0", target.pid)
    event = running.wait_for("incident")
    assert (event["trigger"], event["suppressed"]) == ("finding", None) and "P08" in event["findings"]
    report = running.read(event)
    asyncspy.check_schema(report)
    assert any((each["rule"], each["confidence"]) == ("P08", "proven") for each in report["findings"])
    pauses = running.metrics().value("asyncspy_target_pause_seconds_total", pid=str(target.pid))
    running.wait_for_metric(lambda now: now.value("asyncspy_target_pause_seconds_total", pid=str(target.pid)) > pauses, "no other survey")
    assert [each["suppressed"] for each in running.of("incident")][1:] in ([], ["same_cause"] * (len(running.of("incident")) - 1))
    assert len(running.files()) == 1
    running.stop()


def test_a_healthy_service_is_no_incident(serve, watch):
    target = serve("idle")
    running = watch("--interval", "10ms", "--survey", "50ms", "--stall", "10s", "--lag", "10s", "--listen", "127.0.0.1:0", target.pid)
    running.wait_for("target")
    running.wait_for_samples(target.pid, 50)
    running.stop()
    assert not running.of("incident")


def test_a_busy_server_on_uvloop_is_no_incident(start, watch):
    """Each look finds the same callback, which is another one each time: neither tasks nor the ready queue tell, libuv's turns do."""
    found = [each for each in interpreters.matrix() if each.origin == "system" and each.has_package("uvloop")]
    if not found and not interpreters.required():
        pytest.skip("no uvloop here")
    target = start(found[0], os.path.join(HERE, "services", "protocol_server.py"))
    target.next_report()
    running = watch("--interval", "10ms", "--survey", 0, "--stall", "150ms", "--lag", 0, "--ring", "2s", "--listen", "127.0.0.1:0", target.pid)
    running.wait_for("target")
    running.wait_for_samples(target.pid, 300)
    os.kill(running.pid, signal.SIGUSR1)
    event = running.wait_for("incident", trigger="signal")
    seen = {frame["function"] for each in running.read(event)["incident"]["samples"] for frame in each["stack"]}
    assert "Server.data_received" in seen or "data_received" in seen, seen
    assert not running.of("incident", trigger="stall"), running.story()
    running.stop()


def test_a_task_that_waits_too_long_at_one_place_is_an_incident(asyncspy, serve, watch):
    target = serve("ring", PITFALLS)
    running = watch("--interval", "10ms", "--survey", "100ms", "--pending", "500ms", target.pid)
    event = running.wait_for("incident", trigger="pending")
    assert event["seconds"] >= 0.5 and event["culprit"]["file"] == PITFALLS
    report = running.read(running.of("incident", trigger="pending", suppressed=None)[0])
    asyncspy.check_schema(report)
    task = next(each for each in report["tasks"] if each["id"] == report["incident"]["task"])
    assert task["state"] == "pending" and not task["running"]
    running.stop()


def test_tasks_that_become_more_and_more_are_an_incident(asyncspy, serve, watch):
    target = serve("leaking")
    running = watch("--interval", "10ms", "--survey", "100ms", "--growth", 10, target.pid)
    event = running.wait_for("incident", trigger="growth")
    report = running.read(event)
    asyncspy.check_schema(report)
    forgotten = [each for each in report["tasks"] if each["stack"] and each["stack"][0]["function"] == "forgotten"]
    assert len(forgotten) >= 10 and "forgotten" in event["cause"]
    running.stop()


def test_a_loop_that_goes_on_but_late_is_an_incident(any_interpreter, start, watch):
    """No step is long, but there are so many that what is due comes late."""
    target = start(any_interpreter, os.path.join(HERE, "services", "late.py"))
    target.next_report()
    running = watch("--interval", "10ms", "--survey", 0, "--stall", "5s", "--lag", "200ms", target.pid)
    event = running.wait_for("incident")
    assert event["trigger"] == "lag" and event["seconds"] >= 0.2
    assert running.read(event)["incident"]["trigger"] == "lag"
    running.stop()


# What is kept -------------------------------------------------------------------------------------------------------------


def test_a_second_incident_of_one_cause_gets_no_file_and_another_cause_does(stalling, watch):
    running = watch("--stall", "100ms", "--interval", "10ms", "--survey", 0, "--rate", 0, stalling.pid)
    running.wait_for("target")
    same = make_incidents(running, stalling, 3)
    other, = make_incidents(running, stalling, 1, "burn")
    again, = make_incidents(running, stalling, 1)
    assert [each["suppressed"] for each in same] == [None, "same_cause", "same_cause"]
    assert other["suppressed"] is None and again["suppressed"] == "same_cause"
    assert same[0]["cause"] == same[2]["cause"] != other["cause"]
    assert running.files() == sorted([same[0]["file"], other["file"]]) and same[1]["file"] is None
    assert len({each["id"] for each in running.of("incident")}) == 5
    running.stop()


def test_no_more_files_a_minute_than_allowed(stalling, watch, serve):
    other = serve("idle")
    running = watch("--stall", "100ms", "--interval", "10ms", "--survey", 0, "--same-cause", 0, "--rate", 2, stalling.pid, other.pid)
    running.wait_for("target", 2)
    events = make_incidents(running, stalling, 4)
    # In a minute, two: the test takes less, or another one may have been allowed.
    assert [each["suppressed"] for each in events[:3]] == [None, None, "rate"]
    assert len(running.files()) == len([each for each in events if each["suppressed"] is None])
    os.kill(running.pid, signal.SIGUSR1)
    assert running.wait_for("incident", pid=other.pid)["suppressed"] is None  # for each target
    running.stop()


def test_the_oldest_files_go_when_there_are_too_many(stalling, watch, tmp_path):
    running = watch(*EACH, "--keep", 3, stalling.pid)
    running.wait_for("target")
    (tmp_path / "incidents" / "notes.json").write_text("mine")
    events = make_incidents(running, stalling, 5)
    running.stop()
    assert running.files() == [each["file"] for each in events[-3:]]
    assert [(each["file"], each["why"]) for each in running.of("removed")] == [(each["file"], "count") for each in events[:2]]
    assert (tmp_path / "incidents" / "notes.json").read_text() == "mine"


def test_the_oldest_files_go_when_they_are_too_large(stalling, watch):
    running = watch(*EACH, stalling.pid)
    running.wait_for("target")
    sizes = [os.stat(os.path.join(running.directory, each["file"])).st_size for each in make_incidents(running, stalling, 3)]
    running.stop()
    limit = int(2.5 * max(sizes))
    again = watch(*EACH, "--keep-bytes", limit, stalling.pid)
    again.wait_for("target")
    events = make_incidents(again, stalling, 3)
    again.stop()
    assert sum(os.stat(os.path.join(again.directory, name)).st_size for name in again.files()) <= limit
    assert again.files()[-1] == events[-1]["file"] and len(again.files()) < 6
    assert again.of("removed") and {each["why"] for each in again.of("removed")} == {"bytes"}


def test_files_go_when_they_are_too_old(stalling, watch, tmp_path):
    directory = tmp_path / "incidents"
    directory.mkdir()
    old, other = directory / "asyncspy-20200101T000000.000Z-1-stall.json", directory / "report.json"
    for each in (old, other):
        each.write_text("{}")
        os.utime(str(each), (1577836800, 1577836800))
    running = watch(*EACH, "--keep-age", "1h", stalling.pid)
    running.wait_for("target")
    event, = make_incidents(running, stalling, 1)
    assert running.wait_for("removed")["why"] == "age"
    running.stop()
    assert running.files() == [event["file"]] and other.exists()


# A full disk ----------------------------------------------------------------------------------------------------------------


class SmallDisk:
    """A file system in memory of so many bytes, mounted at `place` until the end of the `with` block. For root."""

    def __init__(self, place, size):
        self.place = place
        self.libc = ctypes.CDLL(None, use_errno=True)
        place.mkdir()
        if self.libc.mount(b"asyncspy-test", os.fsencode(str(place)), b"tmpfs", 0, "size={},mode=700".format(size).encode()) != 0:
            raise OSError(ctypes.get_errno(), "mount")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.libc.umount2(os.fsencode(str(self.place)), MNT_DETACH)

    def fill(self):
        """All that is free is taken, by a file that is not asyncspy's."""
        with open(str(self.place / "ballast"), "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass

    def free(self):
        (self.place / "ballast").unlink()


needs_mounts = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@needs_mounts
def test_a_full_disk_loses_the_oldest_incident_and_never_the_process(asyncspy, stalling, watch, tmp_path):
    probe = watch(*EACH, stalling.pid)
    probe.wait_for("target")
    size = os.stat(os.path.join(probe.directory, make_incidents(probe, stalling, 1)[0]["file"])).st_size
    probe.stop()
    with SmallDisk(tmp_path / "disk", 4 * size):
        running = watch(*EACH, stalling.pid, directory=tmp_path / "disk" / "incidents")
        running.wait_for("target")
        events = make_incidents(running, stalling, 8)
        running.stop()
        assert all(each["suppressed"] is None and each["file"] for each in events)
        removed = running.of("removed")
        assert removed and {each["why"] for each in removed} == {"full"}
        assert [each["file"] for each in removed] == [each["file"] for each in events[:len(removed)]]
        assert running.files() == [each["file"] for each in events[len(removed):]]
        for event in events[len(removed):]:
            asyncspy.check_schema(running.read(event))


@needs_mounts
def test_a_disk_that_others_filled_is_said_and_used_again_when_it_has_room(stalling, watch, tmp_path):
    with SmallDisk(tmp_path / "disk", 4 << 20) as disk:
        running = watch(*EACH, stalling.pid, directory=tmp_path / "disk" / "incidents")
        running.wait_for("target")
        first, = make_incidents(running, stalling, 1)
        disk.fill()
        lost = make_incidents(running, stalling, 3)
        # The room of the first one may do for another; there is none for two. What was lost is said either way.
        assert [each["file"] for each in running.of("removed")][:1] == [first["file"]]
        assert {first["file"], *(each["file"] for each in lost if each["file"])} - {each["file"] for each in running.of("removed")} == set(running.files())
        assert lost[-1]["file"] is not None or (lost[-1]["suppressed"], bool(lost[-1]["error"])) == ("error", True)
        assert len(running.files()) <= 1 and not partial_files(running.directory)
        for name in running.files():
            with open(os.path.join(running.directory, name)) as file:
                json.load(file)
        disk.free()
        after, = make_incidents(running, stalling, 1)
        assert after["suppressed"] is None and running.read(after)["incident"]["id"] == after["id"]
        running.stop()


@needs_mounts
def test_a_disk_without_any_room_is_an_error_and_not_the_end(stalling, watch, tmp_path):
    with SmallDisk(tmp_path / "disk", 1 << 20) as disk:
        (tmp_path / "disk" / "incidents").mkdir()
        disk.fill()
        running = watch(*EACH, stalling.pid, directory=tmp_path / "disk" / "incidents")
        running.wait_for("target")
        for event in make_incidents(running, stalling, 3):
            assert (event["file"], event["suppressed"]) == (None, "error") and event["error"]
        assert not running.files() and not partial_files(running.directory)
        disk.free()
        after, = make_incidents(running, stalling, 1)
        assert after["file"] == running.files()[0]
        running.stop()


def test_a_directory_that_goes_away_is_no_end_either(stalling, watch, tmp_path):
    running = watch(*EACH, stalling.pid)
    running.wait_for("target")
    first, = make_incidents(running, stalling, 1)
    os.rename(running.directory, str(tmp_path / "elsewhere"))
    make_incidents(running, stalling, 1)
    assert running.process.poll() is None and first["file"] in os.listdir(str(tmp_path / "elsewhere"))
    if not os.path.isdir(running.directory):
        os.rename(str(tmp_path / "elsewhere"), running.directory)
    after, = make_incidents(running, stalling, 1)
    assert after["file"] in running.files()
    running.stop()


def test_a_link_in_the_directory_is_not_followed(stalling, watch, tmp_path):
    """No path of it writes outside of its directory."""
    outside = tmp_path / "outside"
    outside.write_text("mine")
    directory = tmp_path / "incidents"
    directory.mkdir()
    (directory / "asyncspy-20200101T000000.000Z-1-stall.json").symlink_to(outside)
    (directory / "asyncspy-20200101T000000.001Z-1-stall.json").mkdir()
    running = watch(*EACH, "--keep", 1, "--keep-age", "1h", stalling.pid)
    running.wait_for("target")
    make_incidents(running, stalling, 2)
    running.stop()
    assert outside.read_text() == "mine"
    assert [name for name in running.files() if os.path.isfile(os.path.join(running.directory, name)) and name >= "asyncspy-2021"] == [
        running.of("incident")[-1]["file"]]


def test_incident_files_are_for_their_owner_alone(stalling, watch):
    running = watch(*EACH, stalling.pid)
    running.wait_for("target")
    event, = make_incidents(running, stalling, 1)
    assert os.stat(os.path.join(running.directory, event["file"])).st_mode & 0o077 == 0
    assert os.stat(running.directory).st_mode & 0o077 == 0
    stamp, pid, trigger = re.fullmatch(r"asyncspy-(\d{8}T\d{6}\.\d{3}Z)-(\d+)-([a-z]+)\.json", event["file"]).groups()
    assert (int(pid), trigger) == (stalling.pid, "stall")
    detected = running.read(event)["incident"]["detected"]
    assert detected.replace("-", "").replace(":", "").startswith(stamp[:-1])
    running.stop()
