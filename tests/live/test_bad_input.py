"""What cannot be read is said in one line, with the next thing to do, and with the documented exit code."""
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import interpreters
from target import PATIENCE, held_threads

NO_PERMISSION, NOT_READABLE, UNSUPPORTED = 3, 4, 5
NOBODY = 65534


def check_error(done, code, *words):
    """One line `asyncspy: subject: problem`, one line `hint:`, nothing else."""
    lines = done.stderr.decode().splitlines()
    assert done.returncode == code, (done.returncode, lines)
    assert done.stdout in (b"", None)
    assert len(lines) == 2, lines
    parts = lines[0].split(": ", 2)
    assert parts[0] == "asyncspy" and len(parts) == 3 and all(parts), lines
    assert lines[1].startswith("hint: ") and len(lines[1]) > len("hint: "), lines
    for word in words:
        assert word.lower() in "\n".join(lines).lower(), (word, lines)


@pytest.fixture
def child():
    """Starts plain programs and ends them after the test."""
    started = []

    def start(*arguments, **options):
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **options}
        started.append(subprocess.Popen(arguments, **options))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


def test_a_process_that_does_not_exist(asyncspy, child):
    gone = child("true")
    gone.wait(PATIENCE)
    check_error(asyncspy.run("dump", gone.pid), NOT_READABLE, str(gone.pid), "no such process")


@pytest.mark.parametrize("word", ["0", "-1", "abc", "99999999999999999999", "", "12x"])
def test_a_pid_that_makes_no_sense_is_a_usage_error(asyncspy, word):
    done = asyncspy.run("dump", "--", word)
    assert done.returncode == 2 and done.stdout == b"" and done.stderr, (done.returncode, done.stderr)


def test_a_zombie(asyncspy, child):
    process = child("true")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    check_error(asyncspy.run("dump", process.pid), NOT_READABLE, str(process.pid), "zombie")


def test_a_program_that_is_not_python(asyncspy, child):
    process = child("sh", "-c", "echo up; exec sleep 100000")
    assert process.stdout.readline() == b"up\n"
    check_error(asyncspy.run("dump", process.pid), NOT_READABLE, str(process.pid), "Python")
    assert not held_threads(process.pid)


def test_a_kernel_thread(asyncspy):
    if not os.path.exists("/proc/2/status"):
        pytest.skip("no process 2 here")
    with open("/proc/2/status") as file:
        if "Kthread:\t1" not in file.read():
            pytest.skip("process 2 is no kernel thread here")
    done = asyncspy.run("dump", 2)
    check_error(done, done.returncode if done.returncode in (NO_PERMISSION, NOT_READABLE) else NOT_READABLE, "2")


@pytest.mark.parametrize("release", [(2, 7), (3, 6)], ids="{0[0]}.{0[1]}".format)
def test_a_python_that_is_too_old_is_named_with_its_version(asyncspy, child, release):
    found = [each for each in interpreters.ALL if each.version[:2] == release]
    if not found:
        pytest.skip("no Python {}.{} here".format(*release))
    process = child(found[0].executable, "-c", "import sys; print('up'); sys.stdout.flush(); sys.stdin.read()")
    assert process.stdout.readline() == b"up\n"
    check_error(asyncspy.run("dump", process.pid), UNSUPPORTED, "{}.{}".format(*release))
    assert not held_threads(process.pid)


def test_python_without_asyncio_is_read_and_its_threads_are_shown(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "no_asyncio")
    done = asyncspy.run("dump", target.pid)
    assert done.returncode == 0 and done.stderr == b""
    text = done.stdout.decode()
    assert "asyncio" in text and "worker" in text and "no_asyncio.py:" in text


@pytest.fixture
def public_binary(asyncspy):
    """A copy of asyncspy that every user may run."""
    folder = tempfile.mkdtemp(prefix="asyncspy-test-")
    os.chmod(folder, 0o755)
    yield shutil.copy(asyncspy.binary, os.path.join(folder, "asyncspy"))
    shutil.rmtree(folder)


def test_missing_permission_names_the_remedies(public_binary, start_situation, any_interpreter):
    if os.geteuid() != 0:
        pytest.skip("only root can play a user without permission")
    target = start_situation(any_interpreter, "many_sleepers")
    done = subprocess.run(["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", public_binary,
                           "dump", str(target.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, cwd="/")
    words = ["CAP_SYS_PTRACE", "shareProcessNamespace"]
    if os.path.exists("/proc/sys/kernel/yama/ptrace_scope"):
        words.append("ptrace_scope")
    check_error(done, NO_PERMISSION, *words)
    assert not held_threads(target.pid)


def test_a_target_that_is_traced_already_is_said_to_be(asyncspy, start_situation, any_interpreter, child):
    strace = shutil.which("strace") or shutil.which("gdb")
    if strace is None:
        pytest.skip("no other tracer here")
    target = start_situation(any_interpreter, "no_asyncio")
    if strace.endswith("strace"):
        tracer = child(strace, "-q", "-f", "-p", str(target.pid), stderr=subprocess.DEVNULL)
    else:
        tracer = child(strace, "-q", "-nx", "-p", str(target.pid), stderr=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE
    while not held_threads(target.pid):
        assert tracer.poll() is None and time.monotonic() < until
        time.sleep(0.001)
    check_error(asyncspy.run("dump", target.pid), NO_PERMISSION, str(tracer.pid))


def test_a_target_that_ends_during_the_dump_is_an_error_and_no_crash(asyncspy, start_situation, any_interpreter):
    moments, codes = random.Random(11), []
    for _ in range(30):
        target = start_situation(any_interpreter, "many_sleepers")
        spy = subprocess.Popen([asyncspy.binary, "dump", str(target.pid), "--format", "json"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(moments.uniform(0, 0.03))  # the moment to end at; nothing is awaited by it
        target.process.stdin.close()
        output, errors = spy.communicate(timeout=PATIENCE)
        codes.append(spy.returncode)
        assert spy.returncode in (0, 1, NOT_READABLE), (spy.returncode, errors)
        assert bool(errors) == (spy.returncode == NOT_READABLE) and bool(output) != bool(errors)
        target.process.wait(PATIENCE)
    assert len(codes) == 30


def test_a_target_that_is_stopped_by_job_control_is_read_and_stays_stopped(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "many_sleepers")
    target.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, target.pid, os.WSTOPPED | os.WNOWAIT)
    done = asyncspy.run("dump", target.pid, "--format", "json")
    assert done.returncode in (0, 1), done.stderr
    assert set(held_threads(target.pid).values()) == {("T", 0)}
    target.process.send_signal(signal.SIGCONT)
    assert len(target.ask_account()["tasks"]) == 201


# Output ------------------------------------------------------------------------------------------------------------


def check_output_error(done, *words):
    assert done.returncode not in (0, 1) and done.returncode > 0, done
    check_error(done, done.returncode, *words)


def test_an_output_file_that_can_not_be_written(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "many_sleepers")
    path = tmp_path / "missing" / "dump.json"
    check_output_error(asyncspy.run("dump", target.pid, "-o", path), str(path))
    assert os.listdir(tmp_path) and not path.exists()


def test_an_output_file_is_private_and_complete(asyncspy, start_situation, any_interpreter, tmp_path):
    target = start_situation(any_interpreter, "many_sleepers")
    folder = tmp_path / "out"
    folder.mkdir()
    done = asyncspy.run("dump", target.pid, "--format", "json", "-o", folder / "dump.json")
    assert done.returncode in (0, 1) and done.stdout == b""
    assert os.listdir(folder) == ["dump.json"]
    assert os.stat(folder / "dump.json").st_mode & 0o777 == 0o600
    asyncspy.check_schema(json.loads((folder / "dump.json").read_text()))


def test_a_full_disk_is_an_error(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "many_sleepers")
    with open("/dev/full", "wb") as full:
        check_output_error(asyncspy.run("dump", target.pid, stdout=full), "space")


def test_a_closed_standard_output_is_an_error(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "many_sleepers")
    done = subprocess.run(["sh", "-c", '"$0" dump "$1" >&-', asyncspy.binary, str(target.pid)], stderr=subprocess.PIPE,
                          timeout=PATIENCE)
    check_output_error(done)


def test_a_reader_that_goes_away_ends_the_dump_quietly(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "many_sleepers")
    reading, writing = os.pipe()
    os.close(reading)
    done = asyncspy.run("dump", target.pid, "--all", stdout=writing)
    os.close(writing)
    assert done.stderr == b"" and done.returncode in (-13, 141), (done.returncode, done.stderr)
    assert not held_threads(target.pid)


def test_a_terminal_never_receives_an_escape_of_the_target(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "odd_names")
    done = asyncspy.run("dump", target.pid, "--all", "--color", "never")
    assert done.returncode in (0, 1)
    text = done.stdout.decode("utf-8")
    assert "evil" in text
    assert not [character for character in text if (ord(character) < 32 and character != "\n")
                or 0x7F <= ord(character) < 0xA0 or character in "\u202e\ufeff"]
