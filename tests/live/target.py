"""Processes that tests look at: started with a bounded wait for their sign of readiness, and ended for certain."""
import json
import os
import select
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SITUATIONS = os.path.join(HERE, "situations")
PATIENCE = 60  # seconds; a bound for what should take far less, so that a hang becomes a failure


class Target:
    """A Python program with a pipe on which it reports: one JSON value a line (see truth.py)."""

    def __init__(self, interpreter, program, arguments=(), environment=None, log=None):
        self._pipe, writing = os.pipe()
        self._rest = b""
        variables = {**os.environ, "PYTHONPATH": HERE, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
        for name in ("PYTHONHOME", "PYTHONASYNCIODEBUG", "PYTHONSTARTUP"):
            variables.pop(name, None)
        self._log = open(log or os.devnull, "wb")
        self.process = subprocess.Popen([interpreter, program, str(writing), *map(str, arguments)], stdin=subprocess.PIPE,
                                        stdout=self._log, stderr=self._log, pass_fds=[writing], env=variables)
        os.close(writing)
        self.pid = self.process.pid

    def next_report(self):
        """The next line that the program writes. Fails when there is none in good time."""
        until = time.monotonic() + PATIENCE
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._pipe], [], [], left)[0]:
                raise AssertionError("the target said nothing within {} s: {}".format(PATIENCE, self.log_text()))
            data = os.read(self._pipe, 1 << 16)
            if not data:
                raise AssertionError("the target ended with {}: {}".format(self.process.wait(PATIENCE), self.log_text()))
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return json.loads(line.decode())

    def ask_account(self, variables=False):
        os.write(self.process.stdin.fileno(), b"v" if variables else b"?")
        return self.next_report()

    def log_text(self):
        if self._log.name == os.devnull:
            return ""
        with open(self._log.name, errors="replace") as file:
            return file.read()[-4000:]

    def close(self):
        """Ends the process: by the end of its input if it listens, by force if not."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        os.close(self._pipe)
        self._log.close()


def thread_states(pid):
    """State letter and tracer of every thread, as the kernel has them. A thread that ends meanwhile is left out."""
    found = {}
    for tid in os.listdir("/proc/{}/task".format(pid)):
        try:
            with open("/proc/{}/task/{}/status".format(pid, tid)) as file:
                fields = dict(line.split(":", 1) for line in file if ":" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[int(tid)] = (fields["State"].split()[0], int(fields["TracerPid"]))
    return found


def held_threads(pid):
    """Threads that are stopped or traced: there must be none once asyncspy has gone."""
    return {tid: (state, tracer) for tid, (state, tracer) in thread_states(pid).items() if state in "Tt" or tracer}
