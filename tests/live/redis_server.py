"""A Redis of the tests' own: in a temporary directory, on loopback, ended by its process id."""
import shutil
import socket
import subprocess
import tempfile
import time

PATIENCE = 60


def find_program():
    return shutil.which("redis-server")


class Server:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="asyncspy-redis-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen([program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, "Redis ended with {}".format(self.process.returncode)
                assert time.monotonic() < until, "Redis did not answer"
                time.sleep(0.02)

    def close(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)
