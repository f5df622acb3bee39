"""A PostgreSQL of the tests' own: in a temporary directory, on loopback, ended by its process id."""
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

PATIENCE = 60


def find_programs():
    """The folder with initdb and postgres, or nothing."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return os.path.dirname(found[-1]) if found else None


def _as_postgres():
    user = pwd.getpwnam("postgres")
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


class Server:
    def __init__(self, programs):
        self.folder = tempfile.mkdtemp(prefix="asyncspy-postgres-")
        shutil.chown(self.folder, "postgres")
        options = {"preexec_fn": _as_postgres, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "cwd": self.folder}
        data = os.path.join(self.folder, "data")
        subprocess.run([os.path.join(programs, "initdb"), "-D", data, "-A", "trust", "-N", "-E", "UTF8"], check=True,
                       stderr=subprocess.DEVNULL, timeout=PATIENCE, **options)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen([os.path.join(programs, "postgres"), "-D", data, "-p", str(self.port), "-k", self.folder,
                                         "-h", "127.0.0.1", "-c", "fsync=off"], stderr=subprocess.DEVNULL, **options)
        self._wait_until_ready()

    def _wait_until_ready(self):
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, "PostgreSQL ended with {}".format(self.process.returncode)
                assert time.monotonic() < until, "PostgreSQL did not answer"
                time.sleep(0.02)

    def close(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)
