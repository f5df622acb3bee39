"""The rights of a sidecar are enough: CAP_SYS_PTRACE alone, a read-only root, no new privileges, another user's processes.

The processes that are looked at belong to a user of their own. Root without its other capabilities opens none of the files that
are their owner's alone (/proc/PID/mem, fd, syscall, auxv, pagemap, map_files).
"""
import json
import os
import shutil
import subprocess
import tempfile

import pytest

import interpreters
from target import HERE, PATIENCE, held_threads
from test_finding import SITUATION, SYSTEM_PYTHON, as_root, copy_interpreter, interpreter_of, look, needed, one_of, write_starter  # noqa: F401

pytestmark = as_root

OTHER_USER = 10001
AS_OTHER_USER = ("setpriv", "--reuid", str(OTHER_USER), "--regid", str(OTHER_USER), "--clear-groups")
SYS_PTRACE = 1 << 19
OWN_PROGRAMS = ("blocked_on_peer.py", "idle_uvloop.py")

# asyncspy as a sidecar runs it.
SIDECAR = ("unshare", "--mount", "--propagation", "private", "sh", "-c",
           'mount -o remount,bind,ro / && exec setpriv --bounding-set=-all,+sys_ptrace --inh-caps=-all --no-new-privs "$0" "$@"')


@pytest.fixture
def public_folder():
    """With the programs of the targets, for every user to read."""
    folder = tempfile.mkdtemp(prefix="asyncspy-test-")
    os.chmod(folder, 0o755)
    for path in (os.path.join(HERE, "truth.py"), SITUATION, *(os.path.join(HERE, "services", name) for name in OWN_PROGRAMS)):
        os.chmod(shutil.copy(path, folder), 0o644)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start_as_other_user(start, any_interpreter, public_folder, tmp_path):
    """Starts a program by a line of shell, to which the program and its arguments are given."""
    def start_program(line, program=SITUATION):
        starter = write_starter(tmp_path / "start", line + "\n")
        interpreter = interpreters.Interpreter(str(starter), any_interpreter.version, "test")
        target = start(interpreter, os.path.join(public_folder, os.path.basename(program)), environment={"PYTHONPATH": public_folder})
        return target, target.next_report()

    return start_program


def plain(executable):
    return "exec {} '{}' \"$@\"".format(" ".join(AS_OTHER_USER), executable)


def status_of(pid):
    with open("/proc/{}/status".format(pid)) as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file)


def only_process_below(pid):
    with open("/proc/{0}/task/{0}/children".format(pid)) as file:
        (child,) = map(int, file.read().split())
    return child


def test_the_sidecar_of_these_tests_has_no_more_than_said(start_as_other_user):
    """What the tests below rely on."""
    target, _ = start_as_other_user(plain(SYSTEM_PYTHON))
    assert status_of(target.pid)["Uid"].split() == [str(OTHER_USER)] * 4
    done = subprocess.run([*SIDECAR, "cat", "/proc/self/status"], stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
    status = dict(line.split(":\t", 1) for line in done.stdout.decode().splitlines())
    assert status["Uid"].split() == ["0"] * 4
    assert {int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {SYS_PTRACE}
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    for command in ("touch /tmp/asyncspy-test", "cat /proc/{}/mem".format(target.pid), "ls /proc/{}/fd".format(target.pid),
                    "cat /proc/{}/task/{}/syscall".format(target.pid, target.pid)):
        done = subprocess.run([*SIDECAR, "sh", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        assert done.returncode != 0 and (b"ermission denied" in done.stderr or b"Read-only" in done.stderr), (command, done.stderr)


def test_another_users_process_is_read(look, start_as_other_user):  # noqa: F811
    dump = look(*start_as_other_user(plain(SYSTEM_PYTHON)), wrapper=SIDECAR)
    assert dump["process"]["user_id"] == OTHER_USER


@pytest.mark.parametrize("kind", ["same file", "deleted"])
def test_another_users_interpreter_is_found(look, start_as_other_user, public_folder, tmp_path, kind):  # noqa: F811
    executable, _, _ = copy_interpreter(interpreter_of("static"), tmp_path / "opt")
    path = shutil.copy(executable, public_folder)
    target, settled = start_as_other_user(plain(path))
    if kind == "deleted":
        os.unlink(path)
    dump = look(target, settled, wrapper=SIDECAR)
    assert dump["python"]["library"] == dump["process"]["executable"] == path


@pytest.mark.parametrize("root", interpreters.ROOT_NAMES)
def test_another_users_process_with_another_root_and_libc_is_read(look, start, tmp_path, root):  # noqa: F811
    interpreter = needed(one_of(root), "no such root: scripts/make-roots")
    starter = write_starter(tmp_path / "start", "exec {{d}}</proc; TRUTH_PROC=$d exec chroot --userspec={0}:{0} '{1}' '/usr/bin/{2}' \"$@\"\n".format(
        OTHER_USER, interpreter.root, os.path.basename(interpreter.executable)))
    target = start(interpreters.Interpreter(str(starter), interpreter.version, "test", interpreter.root), SITUATION)
    dump = look(target, target.next_report(), wrapper=SIDECAR)
    assert dump["process"]["user_id"] == OTHER_USER
    assert dump["python"]["version"] == "{}.{}.{}".format(*interpreter.version)


@pytest.mark.parametrize("kind", ["same file", "deleted"])
def test_files_of_an_overlay_in_other_namespaces_are_found(look, start_as_other_user, public_folder, tmp_path, kind):  # noqa: F811
    """As a container has them: the interpreter is in a layer, on a file system that only the container sees."""
    copy_interpreter(interpreter_of("static"), tmp_path / "layer")
    folder = os.path.join(public_folder, "merged")
    layers = {name: str(tmp_path / name) for name in ("layer", "upper", "work")}
    for path in (folder, layers["upper"], layers["work"]):
        os.mkdir(path)
    target, settled = start_as_other_user("""
        exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc sh -c '
          mount -t overlay overlay -o "lowerdir={layer},upperdir={upper},workdir={work}" "{folder}" && chmod 755 "{folder}" &&
          exec {user} "{folder}/service" "$@"' sh "$@"
    """.format(folder=folder, user=" ".join(AS_OTHER_USER), **layers))
    pid = only_process_below(target.pid)
    path = os.path.join(folder, "service")
    if kind == "deleted":
        subprocess.run(["nsenter", "--mount", "--target", str(pid), "rm", path], timeout=PATIENCE, check=True)
        assert os.readlink("/proc/{}/exe".format(pid)) == path + " (deleted)"
    dump = look(target, settled, pid=pid, wrapper=SIDECAR)
    assert dump["process"]["namespace_pid"] == 1
    assert dump["python"]["library"] == dump["process"]["executable"] == path and not os.path.exists(path)


def test_the_connection_that_another_users_loop_is_blocked_on_is_named(asyncspy, start_as_other_user):
    target, settled = start_as_other_user(plain(SYSTEM_PYTHON), "blocked_on_peer.py")
    promise = settled["promise"]
    for wrapper in ((), SIDECAR):
        done = subprocess.run([*wrapper, asyncspy.binary, "dump", str(target.pid)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        assert done.returncode == 1 and done.stderr == b"", (done.returncode, done.stderr)
        assert "recvfrom(fd {}: tcp {} -> {} ESTABLISHED)".format(promise["descriptor"], *promise["ends"]) in done.stdout.decode()
    assert not held_threads(target.pid)


def test_another_users_loop_in_c_is_known_to_idle(asyncspy, start_as_other_user):
    """Without a stop: asyncspy watch would take the steps before and after an idle time for one."""
    installed = subprocess.run([SYSTEM_PYTHON, "-c", "import uvloop"], stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False).returncode == 0
    needed(installed, "no uvloop here")
    target, _ = start_as_other_user(plain(SYSTEM_PYTHON), "idle_uvloop.py")
    for wrapper in ((), SIDECAR):
        done = subprocess.run([*wrapper, asyncspy.binary, "dump", str(target.pid), "--no-pause", "--format", "json"], stdout=subprocess.PIPE,
                              timeout=PATIENCE, check=False)
        (loop,) = json.loads(done.stdout.decode())["loops"]
        assert loop["state"] == "idle" and "uvloop" in loop["type"], (wrapper, loop)


def test_processes_of_other_users_are_listed(asyncspy, start_as_other_user):
    target, _ = start_as_other_user(plain(SYSTEM_PYTHON))
    done = subprocess.run([*SIDECAR, asyncspy.binary, "ps"], stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    assert done.returncode == 0
    (row,) = [line.split() for line in done.stdout.decode().splitlines() if line.split()[0] == str(target.pid)]
    assert row[2:5] == ["yes", "1", "72"]


def test_without_the_capability_the_refusal_says_what_is_missing(asyncspy, start_as_other_user):
    target, _ = start_as_other_user(plain(SYSTEM_PYTHON))
    nothing = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    done = subprocess.run([*nothing, asyncspy.binary, "dump", str(target.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 3 and done.stdout == b""
    assert b"CAP_SYS_PTRACE" in done.stderr and b"shareProcessNamespace" in done.stderr
    assert not held_threads(target.pid)
