"""`asyncspy watch` beside a service, as a sidecar: what a loaded service loses to twenty looks a second, what the watch itself takes, and
whether it stays small over a million samples and with a hundred targets."""
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request

from load import BACKGROUND_TASKS, Load, lost_share, usual_rate
from processes import BUILD, HERE, Target
from tools import ASYNCSPY

INTERVAL = "50ms"   # twenty looks a second
TURN = 0.25         # seconds of load, with the watch or without it: short, so that drift of the machine meets both alike
BUSY_TASKS = 20
IDLE_TASKS = 10_000
MANY = 100
SETTLE = 15         # seconds until the samples that it keeps are as many as they get
READY_SECONDS = 120


class Watch:
    """A running `asyncspy watch` with HTTP."""

    def __init__(self, pids, *options):
        self._folder = tempfile.TemporaryDirectory(dir=BUILD)
        self.process = subprocess.Popen([ASYNCSPY, "watch", "--directory", self._folder.name, "--listen", "127.0.0.1:0", *options, *map(str, pids)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self._pids = pids
        self._address = None

    def __enter__(self):
        waiting = set(self._pids)
        while waiting or self._address is None:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("asyncspy watch ended with {}".format(self.process.wait()))
            event = json.loads(line.decode())
            if event["event"] == "listening":
                self._address = "http://127.0.0.1:{}/metrics".format(event["port"])
            elif event["event"] == "target":
                waiting.discard(event["pid"])
            elif event["event"] in ("target_unreadable", "target_ended"):
                raise RuntimeError("asyncspy watch: {}".format(event))
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()
        self._folder.cleanup()

    def samples(self):
        with urllib.request.urlopen(self._address, timeout=60) as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(r"^asyncspy_samples_total\{.*\} (\S+)$", text, re.M))

    def cpu_seconds(self):
        """To the nanosecond: the clock ticks of /proc/PID/stat are too coarse for shares of a percent."""
        total = 0
        for tid in os.listdir("/proc/{}/task".format(self.process.pid)):
            with open("/proc/{}/task/{}/schedstat".format(self.process.pid, tid)) as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def resident_bytes(self):
        with open("/proc/{}/status".format(self.process.pid)) as file:
            return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1)) * 1024

    def rest(self, target):
        """Stands still until it is told to go on, though not in the middle of a snapshot, for which it stops the target."""
        while True:
            self.process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
            if not is_held(target):
                return
            self.go_on()
            time.sleep(0.1)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


def is_held(pid):
    for tid in os.listdir("/proc/{}/task".format(pid)):
        with open("/proc/{}/task/{}/status".format(pid, tid)) as file:
            if not re.search(r"^TracerPid:\s*0$", file.read(), re.M):
                return True
    return False


def _measure_loss(python, quick, say):
    """One load and one watch, which stands still in every other turn: their starts and ends are no part of what is measured."""
    count = 60 if quick else 480
    watched = []
    with Target(python, "http", BACKGROUND_TASKS, feels_pauses=False) as target, Watch([target.pid], "--interval", INTERVAL) as watch, \
            Load(target.port, 60 + 8 * count * TURN) as load:
        time.sleep(2)
        cpu, looks = watch.cpu_seconds(), watch.samples()
        watch.rest(target.pid)
        alone = [load.turn(TURN)]
        for _ in range(count):
            watch.go_on()
            watched.append(load.turn(TURN))
            watch.rest(target.pid)
            alone.append(load.turn(TURN))
        watch.go_on()
        seconds = sum(turn.seconds for turn in watched)  # in the others it stood still
        cpu, looks = (watch.cpu_seconds() - cpu) / seconds, (watch.samples() - looks) / seconds
    loss, error = lost_share(alone, watched)
    rate, noise = usual_rate(alone)
    result = {"turn": TURN, "alone": alone, "watched": watched, "loss": loss, "error": error, "rate": rate, "rate_noise": noise, "cpu": cpu, "looks": looks}
    say("  watch: {:.0f} requests/s, {:+.2%} +- {:.2%} with {:.1f} looks a second, which take {:.2%} of a core".format(
        result["rate"], -result["loss"], result["error"], result["looks"], result["cpu"]))
    return result


def _measure_idle(python, quick, say):
    seconds = 20 if quick else 120
    with Target(python, "idle", IDLE_TASKS) as target, Watch([target.pid], "--interval", INTERVAL) as watch:
        time.sleep(SETTLE)
        before = watch.cpu_seconds()
        time.sleep(seconds)
        cpu = (watch.cpu_seconds() - before) / seconds
        memory = watch.resident_bytes()
    say("  watch: {:.2%} of a core on {:,} idle tasks, surveys included, {:.1f} MB".format(cpu, IDLE_TASKS, memory / 1e6))
    return {"tasks": IDLE_TASKS, "seconds": seconds, "cpu": cpu, "memory": memory}


def _measure_flatness(python, quick, say):
    """One target that moves, of which a look is a few bytes, and one that is blocked, of which every look is a whole sample."""
    wanted = 100_000 if quick else 1_000_000
    memory = []
    with Target(python, "churn", BUSY_TASKS) as moving, Target(python, "stalled", BUSY_TASKS) as blocked:
        with Watch([moving.pid, blocked.pid], "--interval", "0.1ms", "--survey", "5s") as watch:
            time.sleep(SETTLE)
            begin, first = time.monotonic(), watch.samples()
            taken = 0
            while taken < wanted:
                memory.append((taken, watch.resident_bytes()))
                time.sleep(2)
                taken = watch.samples() - first
                if time.monotonic() - begin > 1200:
                    break  # as many as there are
            memory.append((taken, watch.resident_bytes()))
            rate = taken / (time.monotonic() - begin)
    sizes = [size for _, size in memory]
    tenth = max(1, len(sizes) // 10)
    result = {"samples": taken, "rate": rate, "memory": memory, "first": statistics.median(sizes[:tenth]), "last": statistics.median(sizes[-tenth:]), "largest": max(sizes)}
    say("  watch: {:.1f} MB at first, {:.1f} MB at last, {:.1f} MB at most over {:,.0f} samples ({:,.0f} a second)".format(
        result["first"] / 1e6, result["last"] / 1e6, result["largest"] / 1e6, taken, rate))
    return result


class SmallServices:
    def __init__(self, python, count):
        self._processes = []
        for _ in range(count):
            self._processes.append(subprocess.Popen([python.executable, os.path.join(HERE, "small_service.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    def __enter__(self):
        for each in self._processes:
            if each.stdout.readline() != b"ready\n":
                raise RuntimeError("a small service did not get ready")
        return [each.pid for each in self._processes]

    def __exit__(self, *_):
        for each in self._processes:
            each.stdin.close()
            each.wait(READY_SECONDS)
            each.stdout.close()


def _measure_many(python, quick, say):
    seconds = 20 if quick else 130  # two surveys of each
    result = {"seconds": seconds, "counts": []}
    for count in (1, MANY):
        with SmallServices(python, count) as pids, Watch(pids, "--interval", INTERVAL) as watch:
            time.sleep(SETTLE)
            before, looked, first = watch.cpu_seconds(), watch.samples(), watch.resident_bytes()
            time.sleep(seconds)
            result["counts"].append({"targets": count, "cpu": (watch.cpu_seconds() - before) / seconds, "looks": (watch.samples() - looked) / seconds,
                                     "first": first, "last": watch.resident_bytes()})
        say("  watch: {targets} targets: {cpu:.1%} of a core, {looks:.0f} looks a second, {0:.1f} MB".format(result["counts"][-1]["last"] / 1e6, **result["counts"][-1]))
    return result


def measure_watch(python, quick, say):
    result = {"situation": "watch", "loss": None}
    if shutil.which("wrk") is None:
        say("  watch: no load: wrk is not installed (Debian: wrk)")
    else:
        result["loss"] = _measure_loss(python, quick, say)
    result["idle"] = _measure_idle(python, quick, say)
    result["flat"] = _measure_flatness(python, quick, say)
    result["many"] = _measure_many(python, quick, say)
    return result
