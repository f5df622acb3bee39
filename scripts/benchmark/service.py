"""A web service under load: what it loses while it is dumped once a second."""
import re
import shutil
import statistics
import subprocess
import threading

from processes import Target
from tools import ASYNCSPY

CONNECTIONS = 32
BACKGROUND_TASKS = 1000
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def load(port, seconds):
    """Requests per second, and the 99th percentile of their duration."""
    command = ["wrk", "-t1", "-c", str(CONNECTIONS), "-d", "{}s".format(seconds), "--latency", "http://127.0.0.1:{}/".format(port)]
    text = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds + 30).stdout.decode()
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    if re.search(r"Non-2xx|Socket errors", text):
        raise RuntimeError("wrk: requests failed: " + text)
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)), "p99": float(value) * UNITS[unit]}


class DumpEverySecond:
    def __init__(self, target):
        self.runs = []
        self._target = target
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._end.wait(1.0):
            self.runs.append(self._target.measure([ASYNCSPY, "dump", str(self._target.pid)], seconds=10, output="service"))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


def measure_service(python, quick, say):
    if shutil.which("wrk") is None:
        say("  http: skipped: wrk is not installed (Debian: wrk)")
        return None
    pairs, seconds = (3, 5) if quick else (8, 10)
    alone, dumped, pauses, failed = [], [], [], 0
    with Target(python, "http", BACKGROUND_TASKS) as target:
        load(target.port, 2)
        for number in range(pairs):
            for with_dumps in ((False, True), (True, False))[number % 2]:  # drift of the machine meets both alike
                if with_dumps:
                    with DumpEverySecond(target) as dumps:
                        dumped.append(load(target.port, seconds))
                    pauses += [run.felt_pause for run in dumps.runs]
                    failed += sum(run.exit not in (0, 1) for run in dumps.runs)
                else:
                    alone.append(load(target.port, seconds))
    losses = [1 - b["rate"] / a["rate"] for a, b in zip(alone, dumped)]
    rates = [each["rate"] for each in alone]
    tails = [each["p99"] for each in alone]
    result = {"situation": "http", "pairs": pairs, "seconds": seconds, "connections": CONNECTIONS, "alone": alone, "dumped": dumped,
              "dumps": len(pauses), "failed_dumps": failed, "pause": statistics.median(pauses), "loss": statistics.median(losses),
              "rate": statistics.median(rates), "rate_noise": statistics.pstdev(rates) / statistics.mean(rates),
              "p99_alone": statistics.median(tails), "p99_dumped": statistics.median(each["p99"] for each in dumped),
              "p99_noise": max(tails) - min(tails)}
    say("  http: {:.0f} requests/s, {:+.1%} with a dump a second".format(result["rate"], -result["loss"]))
    return result
