"""`asyncspy watch` as the tests run it: its events, its incident files, its HTTP."""
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time

from target import HERE, PATIENCE, Target, held_threads

WATCHED = os.path.join(HERE, "services", "watched.py")  # blocked, idle, or whatever else it is told to be
STALLS = os.path.join(HERE, "services", "stalls.py")
INCIDENT_FILE = re.compile(r"asyncspy-\d{8}T\d{6}\.\d{3}Z-\d+-\w+(-\d+)?\.json")


def wait_until_let_go(pid):
    """A watch that runs may be about to take a snapshot, which stops the process for a moment; it does not stay stopped."""
    until = time.monotonic() + PATIENCE
    while held_threads(pid):
        assert time.monotonic() < until, "held for {} s: {}".format(PATIENCE, held_threads(pid))
        time.sleep(0.01)


class Watch:
    """A running `asyncspy watch`. Every wait is bounded; what it says is kept in `events`, in its order."""

    def __init__(self, binary, directory, *arguments, wrapper=(), check_target=None):
        self.directory = str(directory)
        self.events = []
        self._faults = []
        self._news = threading.Condition()
        self._errors = b""
        self.process = subprocess.Popen([*wrapper, binary, "watch", "--directory", self.directory, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pid = self.process.pid
        self._read = check_target or (lambda event: None)
        self._threads = [threading.Thread(target=each) for each in (self._read_events, self._read_errors)]
        for each in self._threads:
            each.start()

    def _read_events(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line.decode("utf-8"))
                assert set(event) >= {"time", "event"} and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["time"]), event
                self._read(event)
            except Exception as fault:  # pylint: disable=broad-except
                if not (line.endswith(b"\n") or self.process.poll() is None):
                    continue  # the last line of one that was killed
                self._faults.append("{!r} in {!r}".format(fault, line[:300]))
                continue
            with self._news:
                self.events.append(event)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _read_errors(self):
        self._errors = self.process.stderr.read()

    def of(self, kind, **facts):
        """The events so far of a kind, with these facts."""
        return [each for each in list(self.events) if each["event"] == kind and all(each.get(name) == value for name, value in facts.items())]

    def wait_for(self, kind, count=1, **facts):
        """The event of that kind and with these facts; for more than one, all of them."""
        until = time.monotonic() + PATIENCE
        with self._news:
            while True:
                found = self.of(kind, **facts)
                if len(found) >= count:
                    return found[0] if count == 1 else found
                left = until - time.monotonic()
                assert not self._faults, self._faults[:5]
                if self.process.poll() is not None and not self._threads[0].is_alive():
                    raise AssertionError("it ended with {} before {} {}: {}".format(self.process.returncode, kind, facts, self.story()))
                assert left > 0, "no {} {} in {} s: {}".format(kind, facts, PATIENCE, self.story())
                self._news.wait(min(left, 1))

    def story(self):
        lines = [json.dumps(each) for each in self.events]
        return "\n".join(lines[:20] + (["... {} more".format(len(lines) - 40)] if len(lines) > 40 else []) + lines[20:][-20:]) + self._errors.decode(errors="replace")

    # Its end ------------------------------------------------------------------------------------------------------------

    def _join(self):
        code = self.process.wait(PATIENCE)
        for each in self._threads:
            each.join(PATIENCE)
        for each in (self.process.stdout, self.process.stderr):
            each.close()
        assert not self._faults, self._faults[:5]
        return code

    def stop(self, number=signal.SIGTERM, partial=0):
        """Ends it cleanly, and checks that it did. `partial` files are the test's own."""
        self.process.send_signal(number)
        code = self._join()
        assert code == 0 and self._errors == b"", (code, self.story())
        assert self.events[-1]["event"] == "stopped", self.events[-1]
        assert len(partial_files(self.directory)) == partial
        return self.events[-1]

    def kill(self):
        self.process.kill()
        return self._join()

    def wait_for_end(self):
        """Of one that ends by itself: its exit code, and what it wrote on standard error."""
        return self._join(), self._errors.decode()

    # Its files ------------------------------------------------------------------------------------------------------------

    def files(self):
        return incident_files(self.directory)

    def read(self, event):
        with open(os.path.join(self.directory, event["file"])) as file:
            return json.load(file)

    # Its HTTP -------------------------------------------------------------------------------------------------------------

    @property
    def port(self):
        return self.wait_for("listening")["port"]

    def get(self, path, method="GET"):
        """Status, content type and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()

    def metrics(self):
        status, _, body = self.get("/metrics")
        assert status == 200
        return Metrics(body.decode("utf-8"))

    def wait_for_metric(self, condition, what):
        """Bounded: the metrics of which the condition holds."""
        until = time.monotonic() + PATIENCE
        while True:
            metrics = self.metrics()
            if condition(metrics):
                return metrics
            assert time.monotonic() < until, "{}: {}".format(what, metrics.text)
            time.sleep(0.01)

    def wait_for_samples(self, pid, count=5):
        """Until the loops of a process were looked at so many times more."""
        before = self.metrics().value("asyncspy_samples_total", pid=str(pid), default=0)
        return self.wait_for_metric(lambda now: now.value("asyncspy_samples_total", pid=str(pid), default=0) >= before + count, "it takes no samples")


class Metrics:
    """Prometheus' text format, as far as it is used here."""

    def __init__(self, text):
        self.text = text
        self.values = []  # name, labels, value
        for line in text.split("\n"):
            if line and not line.startswith("#"):
                name, labels, value = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line).groups()
                self.values.append((name, self._labels(labels or ""), float(value)))

    @staticmethod
    def _labels(text):
        found = re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', text)
        assert ",".join('{}="{}"'.format(*each) for each in found) == text.rstrip(","), text
        return {name: re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match.group(1), match.group(1)), value) for name, value in found}

    def all(self, name, **labels):
        return [(found, value) for each, found, value in self.values if each == name and all(found.get(key) == text for key, text in labels.items())]

    def value(self, name, default=None, **labels):
        """The sum over all that have these labels."""
        found = self.all(name, **labels)
        assert found or default is not None, "no {} {}: {}".format(name, labels, self.text)
        return sum(value for _, value in found) if found else default


def incident_files(directory):
    """Names, oldest first."""
    return sorted(each for each in os.listdir(directory) if INCIDENT_FILE.fullmatch(each)) if os.path.isdir(directory) else []


def partial_files(directory):
    return [each for each in os.listdir(directory) if each.startswith(".")] if os.path.isdir(directory) else []


class StallingService(Target):
    """services/stalls.py, and how it is given orders."""

    def order(self, *words):
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()

    def stall(self, kind, way, seconds, times=1):
        """The entries of stalls that are over."""
        self.order("stall", kind, way, seconds, times)
        return self.next_report()["stalled"]

    def end(self):
        """In its own time, so that it cleans up."""
        self.process.stdin.close()
        self.process.wait(PATIENCE)

