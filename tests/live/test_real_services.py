"""Tasks that wait for real servers: who is at the other end, which timeout applies, which limiter is full."""
import os

import pytest

import interpreters
from packages import environment_of, importable
from target import HERE

PROGRAM = os.path.join(HERE, "services", "silent_partners.py")
PARTS = {"asyncpg": "asyncpg", "psycopg": "psycopg", "redis": "redis.asyncio", "aiohttp": "aiohttp", "anyio": "anyio", "fastapi": "fastapi, uvicorn", "tls": "ssl"}
CLOSE = 5  # seconds

# Which releases must have a part where the environment says CI: the distribution's packages run there.
REQUIRED = {"redis": {(3, 8), (3, 11), (3, 13), (3, 15)}, "anyio": {(3, 8), (3, 11), (3, 13), (3, 15)}, "psycopg": {(3, 11), (3, 13), (3, 15)},
            "asyncpg": {(3, 11), (3, 13)}, "aiohttp": {(3, 11), (3, 13)}, "fastapi": {(3, 11)}, "tls": {(3, 8), (3, 11), (3, 13), (3, 15)}}


def parts_of(interpreter):
    found = importable(interpreter, tuple(PARTS.values()))
    return [part for part, packages in PARTS.items() if packages in found]


CASES = [(interpreter, part) for interpreter in interpreters.matrix() if interpreter.version[:2] >= (3, 8) for part in parts_of(interpreter)]


def test_every_part_runs_on_the_releases_that_matter():
    if not interpreters.required():
        pytest.skip("only in CI")
    for part, releases in REQUIRED.items():
        found = {interpreter.version[:2] for interpreter, each in CASES if each == part}
        assert releases <= found, "{} is missing on {}".format(part, sorted(releases - found))


class Look:
    """One dump, with what the tests ask of it."""

    def __init__(self, report):
        self.report = report
        self.by_id = {task["id"]: task for task in report["tasks"]}

    def task(self, name):
        task, = (each for each in self.report["tasks"] if each["name"] == name)
        return task

    def final(self, name):
        """The task itself, or the one that wait_for() made of its coroutine."""
        task = self.task(name)
        while task["wait"]["kind"] == "task":
            task = self.by_id[task["wait"]["task"]]
        return task

    def primitive(self, task):
        found, = (each for each in self.report["primitives"] if each["id"] == task["wait"]["object"])
        return found, {fact["name"]: fact["value"] for fact in found["facts"]}

    def descriptor(self, task):
        number = task["wait"].get("descriptor")
        if task["wait"]["kind"] == "primitive":
            number = self.primitive(task)[0]["descriptor"]
        found = [each for each in self.report["descriptors"] if each["number"] == number]
        assert len(found) == 1, (number, task["wait"])
        return found[0]

    def job(self, task):
        job, = (each for each in self.report["jobs"] if each["id"] == task["wait"]["job"])
        return job


def check_connection(look, name, facts):
    task = look.final(name)
    found = look.descriptor(task)
    for key in ("local", "peer", "tcp_state"):
        if key in facts:
            assert found[key] == facts[key], (name, key, found, task["wait"])
    if task["wait"]["kind"] == "future":
        assert task["wait"]["inferred"].startswith("from "), task["wait"]
    if "timeout" in facts:
        check_timeout(task, facts)
    if "tls" in facts:
        assert look.primitive(task)[1]["tls"] is True


def check_timeout(task, facts):
    assert task["deadline"] and abs(task["deadline"]["when"] - facts["timeout"]) < CLOSE, task["deadline"]


def check_anyio(look, expected):
    worker = look.task("anyio worker")
    assert worker["wait"]["kind"] == "job", worker["wait"]
    job = look.job(worker)
    assert (job["state"], job["function"]) == ("running", "anyio.<locals>.work")
    assert [frame["name"] for frame in look.report["threads"][job["thread"]]["stack"]][-3:] == ["work", "wait", "wait"]
    limited = look.task("anyio limited")
    assert (limited["wait"]["kind"], limited["wait"]["primitive"]) == ("primitive", "CapacityLimiter"), limited["wait"]
    limiter, facts = look.primitive(limited)
    assert (facts["total_tokens"], facts["borrowed_tokens"]) == (1, 1)
    assert len(limiter["holders"]) == 1 and limiter["holders"][0]["certain"]
    receive = look.task("anyio receive")
    assert (receive["wait"]["primitive"], receive["wait"]["operation"]) == ("MemoryObjectReceiveStream", "receive")
    assert look.primitive(receive)[1]["size"] == 0
    check_timeout(look.task("anyio scope"), expected["anyio scope"])
    group = look.task("anyio group")["wait"]
    assert (group["kind"], group.get("construct"), group.get("pending")) == ("many", "TaskGroup", 3), group
    assert all("forever" in [frame["name"] for frame in look.by_id[each]["stack"]] for each in group["tasks"])


def check_fastapi(look, expected):
    limited = [task for task in look.report["tasks"] if task["wait"]["kind"] == "primitive" and task["wait"]["primitive"] == "CapacityLimiter"]
    assert len(limited) == 3
    limiter, facts = look.primitive(limited[0])
    assert (facts["total_tokens"], facts["borrowed_tokens"]) == (2, 2)
    jobs = [look.job(task) for task in look.report["tasks"] if task["wait"]["kind"] == "job"]
    tids = sorted(look.report["threads"][job["thread"]]["namespace_tid"] for job in jobs)
    assert tids == sorted(expected["uvicorn"]["threads"]) and {job["state"] for job in jobs} == {"running"}
    busy = {task["id"] for task in look.report["tasks"] if task["wait"]["kind"] == "job"}
    assert {holder["task"] for holder in limiter["holders"]} <= set(look.by_id) and len(busy) == len(limiter["holders"]) == 2


@pytest.mark.parametrize("interpreter, part", CASES, ids=lambda each: each if isinstance(each, str) else each.label)
def test_a_wait_for_a_real_service_is_told(asyncspy, start, interpreter, part, postgres_port, redis_port):
    target = start(interpreter, PROGRAM, postgres_port, redis_port, part, environment=environment_of(interpreter))
    expected = target.next_report()["promise"]["expected"]
    look = Look(asyncspy.dump(target.pid))
    if part == "anyio":
        check_anyio(look, expected)
    elif part == "fastapi":
        check_fastapi(look, expected)
    else:
        check_connection(look, part, expected[part])
