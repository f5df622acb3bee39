"""The static program, what is installed, and the package made of it."""
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time

import pytest

from conftest import ROOT
from target import PATIENCE
from test_finding import as_root

MOST_BYTES = 12_000_000


def run(*arguments, **options):
    done = subprocess.run(list(map(str, arguments)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                          check=False, **options)
    assert done.returncode == 0, (arguments, done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout.decode()


@pytest.fixture(scope="module")
def program(static_build):
    return os.path.join(static_build, "asyncspy")


def test_the_static_program_is_small_stripped_and_static(program):
    assert os.path.getsize(program) < MOST_BYTES
    assert "INTERP" not in run("readelf", "--program-headers", program)
    assert "NEEDED" not in run("readelf", "--dynamic", program)
    sections = run("readelf", "--section-headers", "--wide", program)
    assert ".text" in sections and ".symtab" not in sections and ".debug_info" not in sections


@as_root
def test_the_static_program_needs_no_file_of_the_system(asyncspy, program, start_situation, any_interpreter, tmp_path):
    """In a directory with nothing but itself and /proc, as in an image FROM scratch: no libraries, no /etc, no /dev, no terminal
    descriptions, no character sets."""
    target = start_situation(any_interpreter, "blocked_in_sleep")
    root = tmp_path / "root"
    (root / "proc").mkdir(parents=True)
    shutil.copy(program, root)
    script = 'mount -t proc proc "$0/proc" && exec chroot "$0" /asyncspy "$@"'

    def inside(*arguments):
        return subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(root), *map(str, arguments)], env={},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)

    for arguments in (("dump", target.pid, "--all", "--native"), ("dump", target.pid, "--format", "json"), ("top", target.pid, "--batch", "-n", 1),
                      ("ps",), ("doctor", target.pid), ("explain", "P01"), ("--version",)):
        done = inside(*arguments)
        assert done.returncode == (1 if arguments[0] == "dump" else 0) and done.stderr == b"", (arguments, done.returncode, done.stderr)
    done = inside("dump", target.pid, "--all")
    assert "LOOP  BLOCKED" in done.stdout.decode() and "blocked_in_sleep.py" in done.stdout.decode()
    assert os.listdir(root / "proc") == []


@as_root
def test_the_screen_is_drawn_where_no_terminal_is_described(program, start_situation, any_interpreter, tmp_path):
    """In the same directory, on a terminal: kubectl exec -it POD -c asyncspy -- asyncspy top PID."""
    target = start_situation(any_interpreter, "blocked_in_sleep")
    root = tmp_path / "root"
    (root / "proc").mkdir(parents=True)
    shutil.copy(program, root)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    script = 'mount -t proc proc "$0/proc" && exec chroot "$0" /asyncspy "$@"'
    spy = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(root), "top", str(target.pid)],
                           env={"TERM": "xterm-256color"}, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    try:
        drawn, until = b"", time.monotonic() + PATIENCE
        while b"BLOCKED" not in drawn:
            assert time.monotonic() < until and select.select([ours], [], [], PATIENCE)[0], drawn
            drawn += os.read(ours, 1 << 16)
        assert b"\x1b[" in drawn
        os.write(ours, b"q")
        while spy.poll() is None:  # what it writes has to go somewhere
            assert time.monotonic() < until
            if select.select([ours], [], [], 0.01)[0]:
                try:
                    os.read(ours, 1 << 16)
                except OSError:  # it has closed its end
                    pass
        assert spy.returncode == 0
    finally:
        spy.kill()
        spy.wait(PATIENCE)
        os.close(ours)


INSTALLED = {
    "bin/asyncspy": 0o755,
    "bin/kubectl-asyncspy": 0o755,
    "share/man/man1/asyncspy.1": 0o644,
    "share/bash-completion/completions/asyncspy": 0o644,
    "share/doc/asyncspy/copyright": 0o644,
    "share/doc/asyncspy/examples/kubernetes/README.md": 0o644,
    "share/doc/asyncspy/examples/kubernetes/sidecar.yaml": 0o644,
    "share/doc/asyncspy/examples/container/Containerfile": 0o644,
}


def check_installed(folder, zsh_folder):
    for name, mode in {**INSTALLED, "share/zsh/{}/_asyncspy".format(zsh_folder): 0o644}.items():
        assert os.stat(os.path.join(folder, name)).st_mode & 0o777 == mode, name
    names = {os.path.join(path, name) for path, _, files in os.walk(folder) for name in files}
    assert not [name for name in names if name.endswith((".a", ".h", ".so", ".cmake"))]
    assert run(os.path.join(folder, "bin", "asyncspy"), "--version").startswith("asyncspy ")


def test_installation_puts_everything_where_it_is_looked_for(static_build, tmp_path):
    run("cmake", "--install", static_build, "--prefix", tmp_path / "local")
    check_installed(str(tmp_path / "local"), "site-functions")
    run("cmake", "--install", static_build, "--prefix", "/usr", env={**os.environ, "DESTDIR": str(tmp_path / "staged")})
    check_installed(str(tmp_path / "staged" / "usr"), "vendor-completions")  # where Debian's zsh looks


def test_the_package_installs_and_needs_no_other(static_build, program, tmp_path):
    run("cpack", "-B", tmp_path / "made", "-G", "DEB", cwd=static_build)
    (package,) = [name for name in os.listdir(tmp_path / "made") if name.endswith(".deb")]
    path = tmp_path / "made" / package
    version = run(program, "--version").split()[1]
    fields = dict(re.findall(r"^(\S+): (.*)$", run("dpkg-deb", "--field", path), flags=re.MULTILINE))
    assert (fields["Package"], fields["Version"], fields["Architecture"]) == ("asyncspy", version, "amd64")
    assert package == "asyncspy_{}_amd64.deb".format(version)
    assert "Depends" not in fields and fields["Description"] and "@" in fields["Maintainer"]
    run("dpkg-deb", "--extract", path, tmp_path / "root")
    check_installed(str(tmp_path / "root" / "usr"), "vendor-completions")
    assert os.listdir(tmp_path / "root") == ["usr"]


def test_the_image_is_built_of_static_programs_alone(asyncspy, program, tmp_path):
    """Whether an image is right shows the test of a pod; here that a program that could not run in it is refused."""
    script = os.path.join(ROOT, "scripts", "container", "build")
    (tmp_path / "podman").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\" >'{0}/arguments'; ls \"$(eval echo \\${{$#}})\" >'{0}/context'\n".format(tmp_path))
    os.chmod(tmp_path / "podman", 0o755)
    environment = {**os.environ, "PATH": "{}:{}".format(tmp_path, os.environ["PATH"])}
    done = subprocess.run([script, "localhost/x:1", "/bin/true"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=PATIENCE,
                          check=False)
    assert done.returncode == 1 and b"/bin/true: is linked dynamically\nhint: " in done.stderr and not (tmp_path / "arguments").exists()
    assert run(script, "localhost/x:1", program, env=environment) == "localhost/x:1\n"
    assert (tmp_path / "context").read_text() == "asyncspy\n"
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[0] == "build" and "--pull=never" in arguments and arguments[arguments.index("--tag") + 1] == "localhost/x:1"
    assert not os.path.exists(arguments[-1])
