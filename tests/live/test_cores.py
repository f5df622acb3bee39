"""Core files and recordings say what the live process said."""
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess

import pytest

import interpreters
from report_differences import differences, without_clocks
from target import PATIENCE, SITUATIONS
from test_bad_input import NOT_READABLE, UNSUPPORTED, check_error

USAGE = 2

def check_same(file, live):
    assert live["tasks"] and not differences(without_clocks(file), without_clocks(live))


def write_with_gcore(target, folder):
    subprocess.run(["gcore", "-o", str(folder / "core"), str(target.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                   timeout=PATIENCE, check=True)
    return str(folder / "core.{}".format(target.pid))


@pytest.fixture
def halted(start_situation, any_interpreter, request):
    """A target that stands still by a signal, so that several looks at it see the same."""
    target = start_situation(any_interpreter, request.param)
    halt(target)
    return target


def halt(target):
    os.kill(target.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, target.pid, os.WSTOPPED | os.WNOWAIT)


HALTED = ["blocked_in_sleep", "primitives", "loops_in_threads", "sockets", "task_group", "odd_names", "pile_up"]


@pytest.fixture(scope="session", autouse=True)
def gdb():
    for name in ("gdb", "gcore"):
        if not shutil.which(name):
            assert not interpreters.required(), name + " is needed"
            pytest.skip(name + " is not installed")


@pytest.mark.parametrize("halted", HALTED, indirect=True)
def test_a_core_of_gdb_says_what_the_live_process_says(asyncspy, halted, tmp_path):
    live = dump_file(asyncspy, halted.pid)
    core = dump_file(asyncspy, "--core", write_with_gcore(halted, tmp_path))
    assert core["capture"]["mode"] == "core" and core["capture"]["monotonic_seconds"] is None and core["captured_at"] is None
    check_same(core, live)
    assert all(loop["late"] is None for loop in core["loops"])
    assert all(timer["remaining_seconds"] is None for loop in core["loops"] for timer in loop["timers"])


@pytest.mark.parametrize("interpreter", interpreters.matrix(), ids=lambda each: each.label)
def test_every_python_can_be_read_from_a_core(asyncspy, start_situation, interpreter, tmp_path):
    target = start_situation(interpreter, "gather_and_wait")
    halt(target)
    live = dump_file(asyncspy, target.pid)
    options = ["--root", interpreter.root] if interpreter.root else []
    core = dump_file(asyncspy, write_with_gcore(target, tmp_path), *options)
    # gdb can not copy the stacks of threads of a new C library. Frames lie there for a moment.
    lost = [int(tid) for tid in re.findall(r"stack of thread (\d+) is missing", "\n".join(core["warnings"]))]
    assert len(lost) == len(core["warnings"]) <= 1
    for report in (core, live):
        report["warnings"] = []
        report["threads"] = [thread for thread in report["threads"] if thread["tid"] not in lost]
    check_same(core, live)


@pytest.mark.parametrize("halted", HALTED, indirect=True)
@pytest.mark.parametrize("options", [[], ["--plain"], ["--full"], ["--full", "--plain"]], ids=" ".join)
def test_a_recording_says_what_the_live_process_says(asyncspy, halted, tmp_path, options):
    live = dump_file(asyncspy, halted.pid)
    path = record(asyncspy, tmp_path, halted.pid, *options)
    assert os.stat(path).st_mode & 0o777 == 0o600
    recorded = dump_file(asyncspy, path)
    assert recorded["capture"]["mode"] == "stopped" and recorded["capture"]["monotonic_seconds"] >= live["capture"]["monotonic_seconds"]
    for field in ("name", "state"):
        assert [each[field] for each in recorded["threads"]] == [each[field] for each in live["threads"]]
    check_same(recorded, live)
    for one, other in zip(recorded["loops"], live["loops"]):
        assert (one["late"] is None) == (other["late"] is None)
        assert one["late"] is None or one["late"]["seconds"] >= other["late"]["seconds"] > 0
    assert [each["system_call"] and each["system_call"]["descriptor"] for each in recorded["threads"]] == \
        [each["system_call"] and each["system_call"]["descriptor"] for each in live["threads"]]


def test_a_recording_says_the_same_each_time_and_without_the_process(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "primitives")
    path = record(asyncspy, tmp_path, target.pid)
    first = asyncspy.run("dump", path, "--format", "json").stdout
    target.close()
    target.close = lambda: None
    assert json.loads(first)["tasks"] and asyncspy.run("dump", path, "--format", "json").stdout == first


def test_a_core_can_be_made_into_a_recording(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "primitives")
    core = write_with_gcore(target, tmp_path)
    path = record(asyncspy, tmp_path, core)
    direct = dump_file(asyncspy, core)
    recorded = dump_file(asyncspy, path)
    assert direct["tasks"] and not differences(recorded, direct)
    assert os.path.getsize(path) < os.path.getsize(core)


@pytest.mark.skipif(not open("/proc/sys/kernel/core_pattern").read().startswith("core"), reason="cores go elsewhere here")
@pytest.mark.parametrize("deadly", [signal.SIGABRT, signal.SIGSEGV], ids=lambda each: each.name)
@pytest.mark.parametrize("situation", ["blocked_in_sleep", "primitives", "executor"])
def test_a_core_of_the_kernel(asyncspy, start, any_interpreter, tmp_path, deadly, situation):
    program = os.path.join(SITUATIONS, situation + ".py")
    starter = tmp_path / "start.py"
    starter.write_text(
        "import os, resource, runpy, sys\n"
        "os.chdir({!r})\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "sys.argv[0] = {!r}\n"
        "runpy.run_path({!r}, run_name='__main__')\n".format(str(tmp_path), program, program))
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        pytest.skip("the size of cores is limited here")
    target = start(any_interpreter, str(starter))
    target.next_report()
    live = dump_file(asyncspy, target.pid)
    os.kill(target.pid, deadly)
    assert os.waitstatus_to_exitcode(os.waitpid(target.pid, 0)[1]) == -deadly
    target.process.returncode = -deadly
    cores = [name for name in os.listdir(tmp_path) if name.startswith("core")]
    assert len(cores) == 1, os.listdir(tmp_path)
    core = dump_file(asyncspy, str(tmp_path / cores[0]))
    assert any("signal {}".format(int(deadly)) in warning for warning in core["warnings"]), core["warnings"]
    assert core["process"]["command_line"] == live["process"]["command_line"]
    for report in (live, core):
        report["warnings"] = []
        # The thread that serves the tests moves, and the signal may end any thread's system call.
        report["threads"] = [thread for thread in report["threads"] if thread["loop"] is not None]
        for group in report["groups"]:
            group["tasks"] = None
    check_same(core, live)


def test_gdb_opens_a_plain_recording(asyncspy, halted_threads, tmp_path):
    path = record(asyncspy, tmp_path, halted_threads.pid, "--plain")
    threads = dump_file(asyncspy, halted_threads.pid)["threads"]
    done = subprocess.run(["gdb", "-nx", "-batch", "-c", path, "-ex", "info threads", "-ex", "print/x $fs_base", "-ex", "info proc"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
    text = done.stdout.decode(errors="replace")
    assert done.returncode == 0, text
    assert len(threads) > 1
    for thread in threads:
        assert "LWP {}".format(thread["tid"]) in text, text
    assert threads[0]["python_thread"] in text, text


@pytest.fixture
def halted_threads(start_situation, any_interpreter):
    target = start_situation(any_interpreter, "loops_in_threads")
    halt(target)
    return target


# What can not be read.

@pytest.fixture(scope="module")
def whole_core(any_interpreter, tmp_path_factory):
    """A core of a small program, and where to put changed ones."""
    folder = tmp_path_factory.mktemp("core")
    process = subprocess.Popen([any_interpreter.executable, "-c",
                                "import asyncio, sys\nasync def main():\n print('up', flush=True)\n await asyncio.sleep(1e5)\nasyncio.run(main())"],
                               stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"up\n"
        subprocess.run(["gcore", "-o", str(folder / "core"), str(process.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       timeout=PATIENCE, check=True)
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)
    return folder / "core.{}".format(process.pid)


@pytest.mark.parametrize("size", [1, 10, 64, 100, 5000, 100_000])
def test_a_core_that_is_cut_short_near_its_beginning(asyncspy, whole_core, tmp_path, size):
    path = tmp_path / "short"
    path.write_bytes(whole_core.read_bytes()[:size])
    check_error(asyncspy.run("dump", path), NOT_READABLE, "short")


def test_a_core_that_is_cut_short_is_read_as_far_as_possible_or_refused(asyncspy, whole_core, tmp_path):
    content = whole_core.read_bytes()
    path = tmp_path / "short"
    refused = 0
    for tenth in range(1, 10):
        path.write_bytes(content[:len(content) * tenth // 10])
        done = asyncspy.run("dump", "--core", path, "--format", "json")
        if done.returncode in (0, 1):
            assert "cut short" in json.loads(done.stdout)["warnings"][0]
        else:
            refused += 1
            check_error(done, done.returncode if done.returncode == UNSUPPORTED else NOT_READABLE, "cut short")
    assert refused > 0


def test_files_that_are_no_cores(asyncspy, tmp_path):
    empty, noise, text = tmp_path / "empty", tmp_path / "noise", tmp_path / "text"
    empty.write_bytes(b"")
    noise.write_bytes(random.Random(7).randbytes(100_000))
    text.write_text("hello\n" * 1000)
    for path, word in ((empty, "empty"), (noise, "neither"), (text, "neither"), (tmp_path, "no file"), ("/bin/true", "no core file")):
        check_error(asyncspy.run("dump", path), NOT_READABLE, str(path), word)
        check_error(asyncspy.run("dump", "--core", path), NOT_READABLE, str(path), word)


def test_names_that_are_no_files_are_usage_errors(asyncspy, tmp_path):
    for arguments in (["dump", tmp_path / "nothing"], ["dump", "--core", tmp_path / "nothing"], ["dump"], ["capture", "1"],
                      ["dump", "1", "--core", "/bin/true"], ["dump", "--core", "/bin/true", "--root", tmp_path / "nothing"]):
        check_error(asyncspy.run(*arguments), USAGE)


def test_a_core_of_another_program(asyncspy, tmp_path):
    process = subprocess.Popen(["sh", "-c", "echo up; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"up\n"
        subprocess.run(["gcore", "-o", str(tmp_path / "core"), str(process.pid)], stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, timeout=PATIENCE, check=True)
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)
    check_error(asyncspy.run("dump", tmp_path / "core.{}".format(process.pid)), NOT_READABLE, "python")


def test_a_recording_that_was_tampered_with(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "no_loop")
    path = record(asyncspy, tmp_path, target.pid, "--plain")
    with open(path, "rb") as file:
        content = file.read()
    changed = str(tmp_path / "changed")
    for old, new, code, word in ((b'"version":1,"warnings"', b'"version":9,"warnings"', UNSUPPORTED, "newer"),
                                 (b'"format":"asyncspy recording"', b'"format":"asyncspy rec0rding"', NOT_READABLE, "format"),
                                 (b'"threads":[', b'"threads":{', NOT_READABLE, "JSON"),
                                 (b'"stops":1', b'"stops":x', NOT_READABLE, "JSON"),
                                 (b'"stopped"', b'"st0pped"', NOT_READABLE, "word")):
        assert content.count(old) >= 1, old
        with open(changed, "wb") as file:
            file.write(content.replace(old, new))
        check_error(asyncspy.run("dump", changed), code, word)


def test_a_recording_that_is_cut_short(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "primitives")
    path = record(asyncspy, tmp_path, target.pid)
    with open(path, "rb") as file:
        content = file.read()
    short = str(tmp_path / "short")
    for size in (4, 5, 20, 1000):
        with open(short, "wb") as file:
            file.write(content[:size])
        check_error(asyncspy.run("dump", short), NOT_READABLE, "short")


def test_another_build_of_the_interpreter_is_not_used_to_fill_a_core(asyncspy, start_situation, any_interpreter, tmp_path):
    others = [each for each in interpreters.matrix() if not each.root and each.version != any_interpreter.version]
    if not others:
        pytest.skip("there is only one interpreter here")
    target = start_situation(any_interpreter, "primitives")
    live = dump_file(asyncspy, target.pid)
    core = write_with_gcore(target, tmp_path)
    root = str(tmp_path / "root") + live["python"]["library"]
    os.makedirs(os.path.dirname(root))
    shutil.copy(os.path.realpath(others[0].executable), root)
    # The file at the path itself is the right one: it is found behind the wrong one.
    found = dump_file(asyncspy, "--core", core, "--root", tmp_path / "root")
    assert found["tasks"] and [task["id"] for task in found["tasks"]] == [task["id"] for task in live["tasks"]]


def record(asyncspy, folder, source, *options):
    path = str(folder / "recording")
    done = asyncspy.run("capture", source, "-o", path, *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), (done.returncode, done.stderr)
    return path


def dump_file(asyncspy, *arguments):
    done = asyncspy.run("dump", *arguments, "--format", "json")
    assert done.returncode in (0, 1) and done.stderr == b"", (done.returncode, done.stderr)
    report = json.loads(done.stdout)
    asyncspy.check_schema(report)
    return report
