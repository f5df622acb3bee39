"""The interpreter is found wherever it is and whatever it is called, and what can not be read is refused by name."""
import json
import os
import re
import shutil
import subprocess

import pytest

import interpreters
from compare import compare
from target import HERE, PATIENCE, SITUATIONS, held_threads

SITUATION = os.path.join(SITUATIONS, "task_awaits_task.py")
SYSTEM_PYTHON = os.path.realpath("/usr/bin/python3")
UNSUPPORTED = 5

# Without them the kernel does not open /proc/PID/map_files, while memory can still be read.
WITHOUT_MAP_FILES = ("setpriv", "--bounding-set=-sys_admin,-checkpoint_restore")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do that")


def one_of(origin):
    """The newest interpreter of an origin, or nothing."""
    return max((each for each in interpreters.matrix() if each.origin == origin), key=lambda each: each.version, default=None)


def needed(what, reason):
    if not what and not interpreters.required():
        pytest.skip(reason)
    assert what, reason
    return what


@pytest.fixture
def look(asyncspy):
    """Dumps a target by asyncspy under a wrapper, and holds the dump against the target's own account."""
    def look_at(target, settled, pid=None, wrapper=(), warnings=()):
        done = subprocess.run([*wrapper, asyncspy.binary, "dump", str(pid or target.pid), "--format", "json"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        assert done.returncode in (0, 1) and done.stderr == b"", (done.returncode, done.stderr)
        assert not held_threads(pid or target.pid)
        dump = json.loads(done.stdout.decode("utf-8"))
        asyncspy.check_schema(dump)
        truth = target.ask_account()
        result = compare({**settled, "pid": pid or settled["pid"]}, truth, dump)
        assert not result.differences, result.report()
        assert len(truth["tasks"]) == settled["promise"]["tasks"] == 72
        assert [bool(re.search(expected, said)) for expected, said in zip(warnings, dump["warnings"])] == [True] * len(warnings), dump["warnings"]
        assert len(dump["warnings"]) == len(warnings), dump["warnings"]
        return dump

    return look_at


@pytest.fixture
def start_program(start, any_interpreter):
    """Starts the situation under any executable that takes what Python takes."""
    def start_executable(executable, environment=None):
        target = start(interpreters.Interpreter(str(executable), any_interpreter.version, "test"), SITUATION, environment=environment)
        return target, target.next_report()

    return start_executable


def write_starter(path, text):
    path.write_text("#!/bin/bash\n" + text)
    path.chmod(0o755)
    return path


def copy_interpreter(interpreter, folder, name="service"):
    """A copy of an interpreter with its library: the executable and the variables that it needs."""
    folder.mkdir()
    executable = str(folder / name)
    shutil.copy(os.path.realpath(interpreter.executable), executable)
    libraries = subprocess.run(["ldd", os.path.realpath(interpreter.executable)], stdout=subprocess.PIPE, timeout=PATIENCE,
                               check=True).stdout.decode()
    library = re.search(r"=> (\S*/libpython\S*)", libraries)
    if not library:
        return executable, executable, {}
    copy = shutil.copy(library.group(1), str(folder))
    return executable, copy, {"LD_LIBRARY_PATH": str(folder)}


KINDS = {"static": "system", "shared": "pyenv"}
KIND = pytest.mark.parametrize("kind", sorted(KINDS))
WRAPPER = pytest.mark.parametrize("wrapper", [pytest.param((), id="map_files"), pytest.param(WITHOUT_MAP_FILES, id="no_map_files", marks=as_root)])


def interpreter_of(kind):
    return needed(one_of(KINDS[kind]), "no such Python here: " + KINDS[kind])


# Files ---------------------------------------------------------------------------------------------------------------


@KIND
@WRAPPER
def test_an_interpreter_of_another_name_is_found(look, start_program, tmp_path, kind, wrapper):
    executable, library, environment = copy_interpreter(interpreter_of(kind), tmp_path / "opt")
    dump = look(*start_program(executable, environment), wrapper=wrapper)
    assert dump["python"]["library"] == library
    assert (library == executable) == (kind == "static")


@KIND
@WRAPPER
def test_an_interpreter_whose_file_was_deleted_is_found(look, start_program, tmp_path, kind, wrapper):
    executable, library, environment = copy_interpreter(interpreter_of(kind), tmp_path / "opt")
    target, settled = start_program(executable, environment)
    shutil.rmtree(tmp_path / "opt")
    dump = look(target, settled, wrapper=wrapper)
    assert dump["python"]["library"] == library
    assert dump["process"]["executable"] == executable


@KIND
@WRAPPER
def test_an_upgrade_under_a_running_service_does_not_mislead(look, start_program, tmp_path, kind, wrapper):
    interpreter = interpreter_of(kind)
    others = [each for each in interpreters.matrix() if each.origin == "pyenv" and each.version[:2] != interpreter.version[:2]]
    other = needed(others, "no second Python here")[0]
    executable, library, environment = copy_interpreter(interpreter, tmp_path / "opt")
    target, settled = start_program(executable, environment)
    new_executable, new_library, _ = copy_interpreter(other, tmp_path / "new")
    os.replace(new_library, library)  # another release where this one was
    if kind == "shared":
        os.replace(new_executable, executable)
    dump = look(target, settled, wrapper=wrapper)
    assert dump["python"]["version"] == "{}.{}.{}".format(*interpreter.version)


@pytest.mark.parametrize("name", ["my service", "new\nline", "service (deleted)", "a\tb\\012c", "tür\u202e", "\x1b[31mred"])
@WRAPPER
def test_an_executable_with_an_odd_name_is_found(asyncspy, look, start_program, tmp_path, name, wrapper):
    folder = tmp_path / (name + " folder")
    executable, library, environment = copy_interpreter(interpreter_of("static"), folder, name)
    target, settled = start_program(executable, environment)
    dump = look(target, settled, wrapper=wrapper)
    assert dump["process"]["executable"] == executable == dump["python"]["library"] == library
    text = asyncspy.run("dump", target.pid, "--color", "never").stdout.decode("utf-8")
    assert not [each for each in text if (ord(each) < 32 and each != "\n") or each == "\u202e"]


@as_root
def test_without_the_capabilities_map_files_are_closed(start_program):
    """What the tests above rely on."""
    target, _ = start_program(SYSTEM_PYTHON)
    folder = "/proc/{}/map_files".format(target.pid)
    path = os.path.join(folder, sorted(os.listdir(folder))[0])
    for wrapper, code in (((), 0), (WITHOUT_MAP_FILES, 1)):
        done = subprocess.run([*wrapper, "head", "-c1", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE,
                              check=False)
        assert done.returncode == code


# Namespaces and roots --------------------------------------------------------------------------------------------------


@as_root
@WRAPPER
@pytest.mark.parametrize("root", interpreters.ROOT_NAMES)
def test_a_target_in_another_root_is_read(look, start, root, wrapper):
    interpreter = needed(one_of(root), "no such root: scripts/make-roots")
    target = start(interpreter, SITUATION)
    look(target, target.next_report(), wrapper=wrapper)


@as_root
@WRAPPER
@KIND
def test_a_target_in_another_mount_namespace_is_read(look, start_program, tmp_path, kind, wrapper):
    """Its interpreter is on a file system that nobody else sees."""
    executable, library, environment = copy_interpreter(interpreter_of(kind), tmp_path / "opt")
    starter = write_starter(tmp_path / "start", """
        exec unshare --mount bash -c 'mkdir "$0.kept" && cp "$0"/* "$0.kept" && mount -t tmpfs none "$0" && cp "$0.kept"/* "$0" &&
          rm -r "$0.kept" && exec "$0/service" "$@"' '{}' "$@"
    """.format(tmp_path / "opt"))
    target, settled = start_program(starter, environment)
    for path in (tmp_path / "opt").iterdir():  # the directory stays: without it the kernel ends the mount
        path.unlink()
    dump = look(target, settled, wrapper=wrapper)
    assert dump["python"]["library"] == library and not os.path.exists(library)
    assert dump["process"]["executable"] == executable


@as_root
def test_a_target_in_another_pid_namespace_has_both_numbers(look, start_program, tmp_path):
    starter = write_starter(tmp_path / "start", "exec unshare --pid --fork --kill-child --mount-proc '{}' \"$@\"\n".format(SYSTEM_PYTHON))
    target, settled = start_program(starter)
    with open("/proc/{0}/task/{0}/children".format(target.pid)) as file:
        (pid,) = map(int, file.read().split())
    dump = look(target, settled, pid=pid)
    assert settled["pid"] == dump["process"]["namespace_pid"] == 1
    assert dump["process"]["pid"] == pid
    assert {each["tid"] for each in dump["threads"]} == set(map(int, os.listdir("/proc/{}/task".format(pid))))
    assert min(each["namespace_tid"] for each in dump["threads"]) == 1


# Programs that embed Python ------------------------------------------------------------------------------------------------


def config_of_system_python():
    question = "import json, sysconfig; get = sysconfig.get_config_var; print(json.dumps([get('LIBPL'), get('LIBS'), get('MODLIBS')]))"
    folder, *libraries = json.loads(subprocess.run([SYSTEM_PYTHON, "-c", question], stdout=subprocess.PIPE, timeout=PATIENCE,
                                                   check=True).stdout.decode())
    return folder, " ".join(libraries).split()


def compile_embedding(path, *arguments):
    flags = subprocess.run([SYSTEM_PYTHON + "-config", "--includes"], stdout=subprocess.PIPE, timeout=PATIENCE, check=True).stdout.decode().split()
    done = subprocess.run(["cc", "-s", "-o", str(path), os.path.join(HERE, "embedding.c"), *flags, *arguments], stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return path


@pytest.fixture(scope="module")
def development_files():
    needed(shutil.which("cc") and os.path.exists(SYSTEM_PYTHON + "-config"), "no compiler or no python3-dev here: scripts/install-packages tests")


def test_a_program_that_embeds_python_is_read(look, start_program, tmp_path, development_files):
    version = re.search(r"python([\d.]+)$", SYSTEM_PYTHON).group(1)
    service = compile_embedding(tmp_path / "service", "-lpython" + version)
    dump = look(*start_program(service))
    assert dump["process"]["executable"] == str(service)
    assert "libpython" + version in dump["python"]["library"]


@pytest.mark.parametrize("kind", ["fixed", "movable"])
def test_without_the_symbol_a_function_tells_where_the_interpreter_is(look, start_program, tmp_path, development_files, kind):
    """The program exports Python's functions for its extension modules, and hides _PyRuntime. Compilers write the function
    in different ways for a program at a fixed address and for one that can be moved."""
    folder, libraries = config_of_system_python()
    version = re.search(r"python([\d.]+)$", SYSTEM_PYTHON).group(1)
    archive = os.path.join(folder, "libpython{}{}.a".format(version, "" if kind == "fixed" else "-pic"))
    needed(os.path.exists(archive), "no static library here: " + archive)
    (tmp_path / "exported").write_text("{ Py*; _Py[!R]*; };\n")
    linked = compile_embedding(tmp_path / "linked", "-no-pie" if kind == "fixed" else "-pie", "-fPIE" if kind == "movable" else "-fno-pie",
                               "-Wl,--dynamic-list=" + str(tmp_path / "exported"), "-Wl,--whole-archive", archive,
                               "-Wl,--no-whole-archive", *libraries)
    service = tmp_path / "service"
    subprocess.run(["objcopy", "--rename-section", ".PyRuntime=.hidden", str(linked), str(service)], timeout=PATIENCE, check=True)
    symbols = subprocess.run(["nm", "-D", str(service)], stdout=subprocess.PIPE, timeout=PATIENCE, check=True).stdout.decode()
    assert " PyInterpreterState_Head\n" in symbols and " _PyRuntime\n" not in symbols
    look(*start_program(service), warnings=["no symbol _PyRuntime.*PyInterpreterState_Head"])


@as_root
@pytest.mark.parametrize("minor", [13, 14, 15])
def test_without_any_symbol_the_mark_of_the_runtime_is_found(look, start, tmp_path, minor):
    found = [each for each in interpreters.matrix() if each.root and each.version[1] == minor]
    interpreter = needed(found, "no 3.{} in a root: scripts/make-roots".format(minor))[0]
    name = "usr/bin/nameless-{}-{}".format(os.getpid(), minor)
    path = os.path.join(interpreter.root, name)
    with open(os.path.join(interpreter.root, "usr/bin/python3.{}".format(minor)), "rb") as file:
        data = file.read()
    for symbol in (b"\0_PyRuntime\0", b"\0.PyRuntime\0", b"\0PyInterpreterState_Head\0", b"\0Py_Version\0", b"\0_Py_AsyncioDebug\0"):
        data = data.replace(symbol, symbol.replace(b"Py", b"Zz"))
    starter = write_starter(tmp_path / "start", "exec {{d}}</proc; TRUTH_PROC=$d exec chroot '{}' '/{}' \"$@\"\n".format(interpreter.root, name))
    try:
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, 0o755)
        target = start(interpreters.Interpreter(str(starter), interpreter.version, "test", interpreter.root), SITUATION)
        look(target, target.next_report(), warnings=["no symbol leads to it"])
    finally:
        os.unlink(path)


# What can not be read ------------------------------------------------------------------------------------------------------


def refuse(asyncspy, arguments, *words):
    """Starts a program that says `up`, and expects that asyncspy refuses it as not supported."""
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"up\n"
            done = asyncspy.run("dump", process.pid)
            assert not held_threads(process.pid)
        finally:
            process.kill()
    lines = done.stderr.decode().splitlines()
    assert done.returncode == UNSUPPORTED and done.stdout == b"" and len(lines) == 2, (done.returncode, lines)
    for word in words:
        assert word in lines[0], lines
    return lines


def test_pypy_is_refused_by_name(asyncspy):
    pypy = needed(shutil.which("pypy3", path="/usr/bin"), "no PyPy here: scripts/install-packages tests")
    refuse(asyncspy, [pypy, "-c", "import sys; print('up'); sys.stdout.flush(); sys.stdin.read()"], "PyPy")


@pytest.mark.parametrize("release", [(2, 7), (3, 6)], ids=lambda each: "{}.{}".format(*each))
def test_a_release_from_before_the_runtime_is_refused_as_too_old(asyncspy, release):
    found = needed([each for each in interpreters.ALL if each.version[:2] == release], "no Python {}.{} here".format(*release))
    refuse(asyncspy, [found[0].executable, "-c", "import sys; sys.stdout.write('up\\n'); sys.stdout.flush(); sys.stdin.read()"], "older than 3.7")


def test_a_program_that_looks_for_the_mark_is_no_interpreter(asyncspy, tmp_path):
    """The mark of _PyRuntime is in the data of every debugger: alone it means nothing."""
    program = tmp_path / "debugger"
    source = tmp_path / "debugger.c"
    source.write_text("""
        #include <stdio.h>
        unsigned long long mark[8] = {0x7970677562656478ULL, 0x30e00f0ULL << 8};
        int main(void) { mark[7] = 1; puts("up"); fflush(stdout); return getchar(); }
    """)
    needed(shutil.which("cc"), "no compiler here")
    subprocess.run(["cc", "-o", str(program), str(source)], timeout=PATIENCE, check=True)
    with subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        done = asyncspy.run("dump", process.pid)
    assert done.returncode == 4 and b"no Python interpreter" in done.stderr, (done.returncode, done.stderr)
