"""Runs all tools on one process in turns, so that what else the machine does meets all of them alike."""
import os
import statistics
import time
from dataclasses import asdict, dataclass, field

from processes import BUILD, Target, read_output
from consistency import complain_of_churn
from tools import ASYNCSPY, scan_json, shows_all, tools_for

BUDGET_SECONDS = 30  # for one tool on one process; what fails twice is not asked again
LIMIT_SECONDS = 180  # for one run
MOST_FAILURES = 2
SHORT_STOP = 0.005  # seconds: --max-pause where a copy takes longer


def rounds_for(count, quick):
    if count >= 1_000_000:
        return 2 if quick else 3
    if count > 10_000:
        return 3 if quick else 5
    return 5 if quick else 11


@dataclass
class Series:
    """The runs of one tool on one process."""
    tool: str
    runs: list = field(default_factory=list)
    failures: list = field(default_factory=list)  # (what went wrong, seconds)
    spent: float = 0.0

    def median(self, name):
        return statistics.median(getattr(run, name) for run in self.runs) if self.runs else None

    def is_exhausted(self, rounds):
        return len(self.failures) >= min(MOST_FAILURES, rounds) or self.spent > BUDGET_SECONDS

    def as_json(self):
        medians = {name: self.median(name) for name in ("wall", "cpu", "peak_bytes", "felt_pause")}
        return {"tool": self.tool, "medians": medians, "runs": [asdict(run) for run in self.runs], "failures": self.failures}


def _why_failed(run):
    if run.timed_out:
        return "no answer within {} s".format(LIMIT_SECONDS)
    lines = [line.strip() for line in read_output("output.errors").splitlines() if line.strip()]
    if run.exit not in (0, 1) or lines:
        return "exit status {}: {}".format(run.exit, lines[-1][:120] if lines else "no message")
    return "does not show all tasks"


def find_hopeless(results, python, count):
    """Tools that have failed with no more tasks, for a reason that is in their number."""
    return {series["tool"] for result in results if result["python"] == python.name and 10_000 < result["count"] <= count
            for series in result["series"] if not series["runs"]}


def run_once(target, tool, count, series):
    started = time.monotonic()
    run = target.measure(tool.arguments(target.pid), tool.place, LIMIT_SECONDS)
    good = (run.exit == 0 or (tool.name.startswith("asyncspy") and run.exit == 1)) and shows_all(tool, count)
    if good:
        series.runs.append(run)
    else:
        series.failures.append((_why_failed(run), run.wall))
    series.spent += time.monotonic() - started
    return good


def measure_short_stops(target, rounds):
    """What the process feels of stops that end before everything is copied, and how long they were by asyncspy's own account: what
    is felt beyond that was no stop. (None where too little was copied for a report.)"""
    command = [ASYNCSPY, "dump", "--max-pause", str(round(SHORT_STOP * 1e3)), "-f", "json", str(target.pid)]
    runs, own = [], []
    for _ in range(rounds):
        runs.append(target.measure(command, seconds=LIMIT_SECONDS))
        own.append(scan_json(os.path.join(BUILD, "output"))["capture"].get("pause_seconds"))
    return {"allowed": SHORT_STOP, "felt": [run.felt_pause for run in runs], "own": own, "exits": [run.exit for run in runs]}


def measure_native(python, count, quick, say):
    """What the process feels of a stop with and without its native stacks, in turns."""
    plain, native = [], []
    with Target(python, "threads", count) as target:
        for _ in range(5 if quick else 21):
            for options, felt in (((), plain), (("--native",), native)):
                run = target.measure([ASYNCSPY, "dump", *options, "-f", "json", str(target.pid)], seconds=LIMIT_SECONDS)
                if run.exit in (0, 1):
                    felt.append(run.felt_pause)
    say("  threads {} on {}: {:.2f} ms, with native frames {:.2f} ms".format(count, python.name, statistics.median(plain) * 1e3, statistics.median(native) * 1e3))
    return {"situation": "native", "count": count, "python": python.name, "plain": statistics.median(plain), "native": statistics.median(native)}


def compare(python, situation, count, pythons, quick, say, hopeless=()):
    """All tools on one fresh process but the hopeless ones. Returns what goes into the raw results."""
    tools = [tool for tool in tools_for(python, pythons, count) if tool.name not in hopeless]
    result = {"situation": situation, "count": count, "python": python.name, "capture": None, "bulk_copy": None, "still": None}
    rounds = rounds_for(count, quick)
    with Target(python, situation, count) as target:
        all_series = [Series(tool.name) for tool in tools]
        copies, still, captures = [], [], []
        for tool in tools:  # what is read for the first time comes from the disk
            if count <= 10_000:
                target.measure(tool.arguments(target.pid), tool.place, LIMIT_SECONDS)
        for number in range(rounds):
            for offset in range(len(tools)):
                index = (number + offset) % len(tools)
                tool, series = tools[index], all_series[index]
                if series.is_exhausted(rounds):
                    continue
                good = run_once(target, tool, count, series)
                if good and tool.counts == "json":
                    captures.append(scan_json(os.path.join(BUILD, "output")))
            still.append(target.measure(["sleep", "0.2"], seconds=5).felt_pause)
            if captures:
                copies.append(target.copy_in_bulk(int(captures[-1]["capture"]["bytes_copied"])))
        result["resident_bytes"] = target.resident_bytes()
        if situation == "idle" and count >= 100_000:
            result["short_stops"] = measure_short_stops(target, rounds)
    result["still"] = statistics.median(still)
    if captures:
        capture = captures[-1]["capture"]
        capture["pause_seconds"] = statistics.median(each["capture"]["pause_seconds"] for each in captures)
        capture["gaps"] = max(each["gaps"] for each in captures)
        result["capture"] = capture
    copies = [each for each in copies if each is not None]
    result["bulk_copy"] = statistics.median(copies) if copies else None
    result["series"] = [series.as_json() for series in all_series]
    for series in all_series:
        text = "{:.4f} s".format(series.median("wall")) if series.runs else "fails"
        say("  {} {} on {}: {}: {}".format(situation, count, python.name, series.tool, text))
    return result


def churn_successes(python, count, tries, pythons, say):
    """How many of so many looks at tasks that never rest succeed, for asyncspy and the peers that know tasks."""
    successes = {}
    with Target(python, "churn", count) as target:
        tools = [tool for tool in tools_for(python, pythons, count) if tool.counts and tool.counts != "text"]
        for tool in tools:
            series, complaints = Series(tool.name), []
            for _ in range(tries):
                if series.spent > BUDGET_SECONDS and tool.counts != "json":
                    break
                good = run_once(target, tool, count, series)
                if good and tool.counts == "json":
                    complaints += complain_of_churn(os.path.join(BUILD, "output"))[:1]
            tried = len(series.runs) + len(series.failures)
            successes[tool.name] = {"tried": tried, "good": len(series.runs) - len(complaints), "complaints": complaints[:5],
                                    "failures": sorted({why for why, _ in series.failures})[:3], **series.as_json()["medians"]}
            say("  churn {} on {}: {}: {} of {}".format(count, python.name, tool.name, successes[tool.name]["good"], tried))
    return {"situation": "churn", "count": count, "python": python.name, "tools": successes}
