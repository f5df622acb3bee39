"""wrk against the web service of target.py, for whole runs and for short turns of one run."""
import json
import math
import re
import statistics
import subprocess
import time
import typing
import urllib.request

CONNECTIONS = 32
BACKGROUND_TASKS = 1000
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def run_load(port, seconds):
    """Requests per second, and the 99th percentile of their duration."""
    command = ["wrk", "-t1", "-c", str(CONNECTIONS), "-d", "{}s".format(seconds), "--latency", "http://127.0.0.1:{}/".format(port)]
    text = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds + 30).stdout.decode()
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    if re.search(r"Non-2xx|Socket errors", text):
        raise RuntimeError("wrk: requests failed: " + text)
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)), "p99": float(value) * UNITS[unit]}


class Turn(typing.NamedTuple):
    answers: int
    seconds: float

    @property
    def rate(self):
        return self.answers / self.seconds


class Load:
    """wrk, for as long as the `with` block lasts."""

    def __init__(self, port, seconds):
        self._url = "http://127.0.0.1:{}/".format(port)
        self._process = subprocess.Popen(["wrk", "-t1", "-c", str(CONNECTIONS), "-d", "{}s".format(int(seconds)), self._url], stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def count(self):
        """Answers so far, and the moment of that, both by the service's own account."""
        if self._process.poll() is not None:
            raise RuntimeError("wrk ended with {}".format(self._process.returncode))
        with urllib.request.urlopen(self._url + "count", timeout=60) as answer:
            return json.load(answer)

    def turn(self, seconds, disturb=lambda: None):
        """So long a part of the load, which begins with a call of `disturb`: the answers in it, and how long it was by the service's account."""
        over = time.monotonic() + seconds
        first, begin = self.count()
        disturb()
        time.sleep(max(0, over - time.monotonic()))
        last, end = self.count()
        return Turn(last - first, end - begin)


def lost_share(alone, disturbed):
    """Of disturbed turns, each between two of the others: the share of the answers that the disturbance cost, and its standard error.

    Means of the logarithms of the rates: these vary by a third from turn to turn where a machine has neighbours, and then the mean of
    ratios shows a gain where there is none, as the lower of two rates counts more below the line than above it."""
    lost = [(_log_rate(before) + _log_rate(after)) / 2 - _log_rate(turn) for before, turn, after in zip(alone, disturbed, alone[1:])]
    return 1 - math.exp(-statistics.mean(lost)), statistics.stdev(lost) / math.sqrt(len(lost))


def usual_rate(turns):
    """Answers per second, and the share by which that varies from turn to turn."""
    rates = [turn.rate for turn in turns]
    return statistics.median(rates), statistics.pstdev(rates) / statistics.mean(rates)


def _log_rate(turn):
    return math.log(max(turn.answers, 1) / turn.seconds)
