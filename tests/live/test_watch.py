"""`asyncspy watch` beside a service that stalls thousands of times: each stall above the threshold is one incident with the right
culprit, none below it is one, on every kind of interpreter.

Where the environment has ASYNCSPY_STALLS, so many on each interpreter.
"""
import concurrent.futures
import copy
import json
import os
import random

import pytest

import interpreters
import stall_account
from watcher import STALLS, StallingService, Watch, incident_files, wait_until_let_go

COUNT = int(os.environ.get("ASYNCSPY_STALLS", 300))
AT_ONCE = 2
THRESHOLD, INTERVAL = 0.06, 0.01
KEPT = 10
RELEASES = ((3, 8), (3, 11), (3, 13), (3, 15))
MOSTLY = 0.7  # of the stalls above the threshold must be judged; on a machine that has nothing else to do it is nearly all
RARELY = 0.03  # of them may be missed for stolen time: that has to come just when asyncspy is to look
MOST_HOURS = 3  # where another program keeps asyncspy from a processor meanwhile
ROUNDING = 1e-6


def chosen():
    """One interpreter of each release, and the distribution's with a loop that is written in C."""
    found = {}
    for each in interpreters.matrix():
        found.setdefault(each.version[:2], (each, "asyncio"))
    cases = [found[release] for release in RELEASES if release in found]
    return cases + [(each, "uvloop") for each in interpreters.matrix() if each.origin == "system" and each.has_package("uvloop")]


CASES = chosen()


def test_every_release_that_matters_is_here():
    if not interpreters.required():
        pytest.skip("only in CI")
    assert {each.version[:2] for each, loop in CASES if loop == "asyncio"} == set(RELEASES)
    assert [loop for _, loop in CASES].count("uvloop") == 1


class Hour:
    """What one interpreter's stalls came to."""

    def __init__(self, asyncspy, interpreter, loop, folder):
        self.asyncspy, self.interpreter, self.loop, self.folder = asyncspy, interpreter, loop, folder
        self.incidents = []

    def take(self, event):
        """Reads an incident's file as soon as it is there: only a few are kept."""
        if event["event"] == "incident":
            assert event["suppressed"] is None and event["trigger"] == "stall", event
            with open(os.path.join(str(self.folder), "incidents", event["file"])) as file:
                report = json.load(file)
            incident = report["incident"]
            for name in ("id", "trigger", "cause", "seconds", "loop"):
                assert incident[name] == event[name], (name, incident, event)
            assert (incident["culprit"]["function"], incident["culprit"]["line"]) == (event["culprit"]["function"], event["culprit"]["line"])
            times = [sample["seconds"] for sample in incident["samples"]]
            assert times == sorted(times) and times and times[-1] <= 0, times
            assert abs(event["pause_ms"] / 1e3 - report["capture"]["pause_seconds"]) < ROUNDING, (event, report["capture"])
            self.incidents.append(stall_account.seen(report))

    def pass_by(self):
        service = StallingService(self.interpreter.executable, STALLS, (self.loop,), log=str(self.folder / "service.log"))
        try:
            self.watch(service)
            service.end()
        finally:
            service.close()
        return self

    def watch(self, service):
        service.next_report()
        watch = Watch(self.asyncspy.binary, self.folder / "incidents", service.pid, "--stall", "60ms", "--interval", "10ms", "--lag", 0,
                      "--same-cause", 0, "--rate", 0, "--survey", 0, "--keep", KEPT, "--ring", "1s", "--listen", "127.0.0.1:0",
                      check_target=self.take)
        try:
            watch.wait_for("target", pid=service.pid)
            before = watch.wait_for_samples(service.pid).value("asyncspy_samples_total", pid=str(service.pid))
            service.order("probe", watch.pid)
            assert service.next_report()["probes"] >= 1
            lengths = {"silent": THRESHOLD, "heard": THRESHOLD + INTERVAL + stall_account.LOOK_SECONDS, "pair": 0.7 * THRESHOLD}
            service.order("run", COUNT, random.Random(self.interpreter.label + self.loop).randrange(1 << 30), json.dumps(lengths))
            report = service.next_report()
            while "done" in report:
                report = service.next_report()
            service.stall("last_of_all", "in_own_task", 5 * THRESHOLD)  # once it was said, all the others were
            watch.wait_for("stall_ended", incident=self.wait_for_last(watch))
            self.samples = watch.metrics().value("asyncspy_samples_total", pid=str(service.pid)) - before
            wait_until_let_go(service.pid)  # a gap after the last stall can be an incident, too
            watch.stop()
        finally:
            if watch.process.poll() is None:
                watch.kill()
        self.kept = incident_files(watch.directory)
        self.removed = watch.of("removed")
        self.events = watch.of("incident")
        incidents = [each for each in self.incidents if not self.is_later(each, report)]
        self.judgement = stall_account.judge(report["stalls"], report["gaps"], incidents, THRESHOLD, INTERVAL)
        self.stalls = report["stalls"]
        self.check_ends(watch)

    @staticmethod
    def is_later(incident, report):
        """Of what the service does when its account is closed: it writes that, for as long as we take to read it, and stalls once more."""
        return incident.culprit == "last_of_all" or (incident.culprit == "say" and incident.begin > report["stalls"][-1]["wall_end"])

    def wait_for_last(self, watch):
        while True:
            known = watch.of("incident")
            last = [each["id"] for each in known if each["culprit"]["function"] == "last_of_all"]
            if last:
                return last[0]
            watch.wait_for("incident", len(known) + 1)

    def check_ends(self, watch):
        """Every incident's stall is over, once, and was no shorter than the incident said, but for the stops that were known only then:
        of its snapshot and of earlier ones that were still in hand."""
        ended = {each["incident"]: each for each in watch.of("stall_ended")}
        assert len(ended) == len(watch.of("stall_ended"))
        incidents = watch.of("incident")
        for event in incidents:
            pause = sum(each["pause_ms"] for each in incidents if each["detected"] <= event["detected"] <= each["time"]) / 1e3
            assert ended[event["id"]]["seconds"] >= event["seconds"] - pause - ROUNDING, (event, ended[event["id"]], pause)


@pytest.fixture(scope="module")
def hours(asyncspy, tmp_path_factory):
    """All of them, begun at once and gone through two at a time."""
    pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
    running = {case: pool.submit(Hour(asyncspy, *case, tmp_path_factory.mktemp("hour")).pass_by) for case in CASES}
    yield running
    pool.shutdown()


def is_enough(judgement):
    long = judgement.must + judgement.waited + judgement.stopped + judgement.stolen
    return (judgement.must >= max(MOSTLY * long, 0.3 * COUNT) and judgement.stolen <= RARELY * judgement.must
            and judgement.must_not >= 0.3 * COUNT)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "{}-{}".format(case[0].label, case[1]))
def test_every_stall_above_the_threshold_is_one_incident_and_none_below_it_is(asyncspy, hours, record_stalls, case, tmp_path_factory):
    hour = hours[case].result()
    for again in range(MOST_HOURS):
        record_stalls(case, hour)
        judgement = hour.judgement
        assert not judgement.faults, "{}:\n{}".format(judgement, "\n".join(judgement.faults[:20]))
        if is_enough(judgement) or again + 1 == MOST_HOURS:
            break
        hour = Hour(asyncspy, *case, tmp_path_factory.mktemp("hour")).pass_by()
    assert is_enough(judgement), str(judgement)
    assert judgement.incidents >= judgement.must
    # Little was kept, and each removal was said.
    assert len(hour.kept) == KEPT and len(hour.removed) == len(hour.events) - KEPT
    for name in hour.kept[-2:]:
        with open(str(hour.folder / "incidents" / name)) as file:
            asyncspy.check_schema(json.load(file))


# The judge itself ----------------------------------------------------------------------------------------------------


def made_up(begin, length, kind="burn", way="in_own_task"):
    return {"kind": kind, "way": way, "before": begin, "begin": begin, "end": begin + length, "after": begin + length, "wall_begin": 1e9 + begin,
            "returned": begin + length, "wall_end": 1e9 + begin + length, "waited": 0.0, "stolen": 0.0}


def incident_of(stall, seconds=0.065, culprit=None, in_task=True, stopped_at=0.0, pause=0.0, stops=1):
    return stall_account.Seen(stall["wall_begin"] + 0.004, stall["wall_begin"] + 0.004 + seconds, culprit or stall["kind"], in_task, "id",
                              stopped_at, pause, stops)


def judge(stalls, incidents, gaps=()):
    return stall_account.judge(stalls, gaps, incidents, THRESHOLD, INTERVAL)


def test_the_judge_finds_no_fault_in_what_is_right():
    stalls = [made_up(1, 0.1), made_up(2, 0.05), made_up(3, 0.065), made_up(4, 0.2)]
    result = judge(stalls, [incident_of(stalls[0]), incident_of(stalls[3], 0.1)])
    assert not result.faults and (result.must, result.must_not, result.between) == (2, 1, 1)


@pytest.mark.parametrize("name", ["missing", "double", "too short", "merged", "wrong function", "wrong task", "in between twice", "out of nothing"])
def test_the_judge_finds_each_fault(name):
    stalls = [made_up(1, 0.1), made_up(2, 0.042), made_up(2.0421, 0.042), made_up(3, 0.065), made_up(4, 0.058)]
    incidents = [incident_of(stalls[0])]
    wrong = copy.deepcopy(incidents)
    if name == "missing":
        wrong = []
    elif name == "double":
        wrong += incidents
    elif name == "too short":
        wrong.append(incident_of(stalls[4], 0.052))
    elif name == "merged":
        wrong.append(incident_of(stalls[1], 0.062))
    elif name == "wrong function":
        wrong = [incident_of(stalls[0], culprit="crunch")]
    elif name == "wrong task":
        wrong = [incident_of(stalls[0], in_task=False)]
    elif name == "in between twice":
        wrong += [incident_of(stalls[3], 0.06)] * 2
    elif name == "out of nothing":
        wrong.append(incident_of(made_up(9, 0.1)))
    assert not judge(stalls, incidents).faults
    assert len(judge(stalls, wrong).faults) == 1


def test_the_judge_excuses_what_could_not_be_seen():
    stall = made_up(1, 0.1)
    stall["waited"] = 0.05
    result = judge([stall], [])
    assert not result.faults and (result.waited, result.must) == (1, 0)
    other = made_up(9, 0.1)
    assert judge([], [incident_of(other)], [[1e9 + 8.9, 1e9 + 9.2]]).unowned == 1


LIMIT = THRESHOLD + INTERVAL + stall_account.LOOK_SECONDS
STOP = 0.012  # for the snapshot of the first of two stalls, of which the second is too long by less than that
PAIR = [made_up(1, 0.1), made_up(1.1, LIMIT + STOP / 2)]


@pytest.mark.parametrize("stopped_at, stops", [(1.105, 1), (1.17, 1), (1.105, 2), (1.5, 2)])  # the moment of the last stop is known
def test_the_judge_counts_a_stop_by_asyncspy_as_no_part_of_a_stall(stopped_at, stops):
    result = judge(PAIR, [incident_of(PAIR[0], stopped_at=stopped_at, pause=STOP, stops=stops)])
    assert not result.faults and (result.must, result.stopped) == (1, 1)


@pytest.mark.parametrize("stopped_at, pause, stops",
                         [(1.09, STOP, 1), (1.09, STOP, 2), (1.2, STOP, 1), (1.5, STOP, 1), (1.105, STOP / 3, 1)])
def test_the_judge_excuses_nothing_with_a_stop_at_another_time_or_too_short(stopped_at, pause, stops):
    result = judge(PAIR, [incident_of(PAIR[0], stopped_at=stopped_at, pause=pause, stops=stops)])
    assert len(result.faults) == 1 and "no incident" in result.faults[0] and (result.must, result.stopped) == (2, 0)


def test_the_judge_does_not_count_the_stop_for_what_was_seen():
    stall = PAIR[1]
    result = judge([stall], [incident_of(stall, stopped_at=1.17, pause=STOP)])
    assert not result.faults and (result.must, result.stopped) == (1, 0)


def test_the_judge_excuses_with_stolen_time_only_what_was_not_seen():
    stall = made_up(1, LIMIT + 0.015)
    stall["stolen"] = 0.02
    missed = judge([stall], [])
    assert not missed.faults and (missed.must, missed.stolen) == (0, 1)
    found = judge([stall], [incident_of(stall)])
    assert not found.faults and (found.must, found.stolen) == (1, 0)
    longer = made_up(1, LIMIT + 0.025)
    longer["stolen"] = 0.02
    assert len(judge([longer], []).faults) == 1


def test_what_could_not_be_seen_is_not_enough():
    def judgement(**counts):
        return stall_account.Judgement(**{"must": COUNT, "must_not": COUNT, **counts})

    assert is_enough(judgement()) and is_enough(judgement(waited=COUNT // 5, stopped=COUNT // 5))
    for excuse in ("waited", "stopped", "stolen"):
        assert not is_enough(judgement(**{excuse: COUNT}))
    assert not is_enough(judgement(stolen=int(RARELY * COUNT) + 1))
    assert not is_enough(judgement(must=0)) and not is_enough(judgement(must_not=0))


def test_the_judge_takes_the_caller_for_the_culprit_only_when_the_function_was_over():
    stall = made_up(1, 0.1)
    incident = incident_of(stall, culprit=stall_account.CALLER)  # seen at 1.069
    assert len(judge([stall], [incident]).faults) == 1
    stall["returned"] = 1.065
    assert not judge([stall], [incident]).faults
    assert len(judge([stall], [incident_of(stall, culprit="burn_more")]).faults) == 1
