"""A web service under load: what it loses while it is dumped once a second."""
import shutil
import statistics
import subprocess
import threading
import time

from load import BACKGROUND_TASKS, CONNECTIONS, Load, lost_share, run_load, usual_rate
from processes import Target
from tools import ASYNCSPY

TURN = 0.1  # seconds of load, with a dump or without: short, so that drift of the machine meets both alike


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


def _measure_loss(target, quick):
    """One load. In every other turn one dump is made, early enough that nothing of it is left to the next turn. What the service does
    not do because of it is what it does not do in a second with one dump."""
    dumps = 200 if quick else 2000
    dumped, exits = [], []

    def dump():
        exits.append(subprocess.run([ASYNCSPY, "dump", str(target.pid)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=10).returncode)

    with Load(target.port, 60 + 8 * dumps * TURN) as load:
        time.sleep(2)
        alone = [load.turn(TURN)]
        for _ in range(dumps):
            dumped.append(load.turn(TURN, dump))
            alone.append(load.turn(TURN))
    length = statistics.mean(turn.seconds for turn in dumped)
    loss, error = (length * each for each in lost_share(alone, dumped))
    rate, noise = usual_rate(alone)
    return {"turn": TURN, "alone": alone, "dumped": dumped, "loss": loss, "error": error, "rate": rate, "rate_noise": noise, "exits": exits}


def _measure_tail(target, quick):
    """Whole runs of wrk, with a dump a second and without."""
    pairs, seconds = (3, 5) if quick else (8, 10)
    alone, dumped, dumps = [], [], []
    run_load(target.port, 2)
    for number in range(pairs):
        for with_dumps in ((False, True), (True, False))[number % 2]:  # drift of the machine meets both alike
            if with_dumps:
                with DumpEverySecond(target) as every_second:
                    dumped.append(run_load(target.port, seconds))
                dumps += every_second.runs
            else:
                alone.append(run_load(target.port, seconds))
    tails = [each["p99"] for each in alone]
    return {"pairs": pairs, "seconds": seconds, "alone": alone, "dumped": dumped, "p99_alone": statistics.median(tails),
            "p99_dumped": statistics.median(each["p99"] for each in dumped), "p99_noise": max(tails) - min(tails),
            "exits": [run.exit for run in dumps], "pause": statistics.median(run.felt_pause for run in dumps)}


def measure_service(python, quick, say):
    if shutil.which("wrk") is None:
        say("  http: skipped: wrk is not installed (Debian: wrk)")
        return None
    with Target(python, "http", BACKGROUND_TASKS) as target:
        tail = _measure_tail(target, quick)
    with Target(python, "http", BACKGROUND_TASKS, feels_pauses=False) as target:
        loss = _measure_loss(target, quick)
    say("  http: {:.0f} requests/s, {:+.2%} +- {:.2%} with a dump a second".format(loss["rate"], -loss["loss"], loss["error"]))
    return {"situation": "http", "connections": CONNECTIONS, "loss": loss, "tail": tail}
