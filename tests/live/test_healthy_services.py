"""Real services that are in good health, made of the distribution's packages: nothing may be found wrong with any of them."""
import json
import os
import time

import pytest

import interpreters
from conftest import is_alarm
from connections import Connections, http
from packages import environment_of, importable
from target import HERE, PATIENCE

WEB, DATA, STANDARD = [os.path.join(HERE, "services", name + ".py") for name in ("healthy_web", "healthy_data", "healthy_standard")]
RELEASES = ((3, 8), (3, 11), (3, 13), (3, 15))
DUMPS = ((), (), ("--heap",), (), ("--heap",))
ANY_RELEASE = (3, 8)
TO_ITEM, TO_REPORT = http("/item"), http("/report")
MIXED = [TO_ITEM] * 100 + [TO_REPORT] * 20  # anyio has forty threads
LINE = b"hello\n"

# service: program, packages that it imports, first release with what it uses, requests of its clients
SERVICES = {
    "aiohttp_server": (WEB, "aiohttp", ANY_RELEASE, [TO_ITEM] * 200),
    "aiohttp_client": (WEB, "aiohttp", ANY_RELEASE, None),
    "aiohttp_timeouts": (WEB, "aiohttp", ANY_RELEASE, None),
    "aiohttp_resolving": (WEB, "aiohttp", ANY_RELEASE, None),
    "fastapi": (WEB, "fastapi, uvicorn", ANY_RELEASE, MIXED),
    "uvloop_fastapi": (WEB, "fastapi, uvicorn, uvloop", ANY_RELEASE, MIXED),
    "uvloop_aiohttp_server": (WEB, "aiohttp, uvloop", ANY_RELEASE, [TO_ITEM] * 200),
    "uvloop_echo_server": (WEB, "uvloop", ANY_RELEASE, [LINE] * 100),
    "uvloop_echo_protocol": (WEB, "uvloop", ANY_RELEASE, [LINE] * 100),
    "echo_server": (WEB, "asyncio", ANY_RELEASE, [LINE] * 100),
    "websockets": (WEB, "websockets", ANY_RELEASE, None),
    "asyncpg_pool": (DATA, "asyncpg", ANY_RELEASE, None),
    "asyncpg_idle": (DATA, "asyncpg", ANY_RELEASE, None),
    "asyncpg_timeouts": (DATA, "asyncpg", ANY_RELEASE, None),
    "redis_subscribers": (DATA, "redis.asyncio", ANY_RELEASE, None),
    "redis_workers": (DATA, "redis.asyncio", ANY_RELEASE, None),
    "redis_timeouts": (DATA, "redis.asyncio", ANY_RELEASE, None),
    "psycopg": (DATA, "psycopg", ANY_RELEASE, None),
    "task_group": (STANDARD, "asyncio", (3, 11), None),
    "task_group_idle": (STANDARD, "asyncio", (3, 11), None),
    "threads": (STANDARD, "concurrent.futures", ANY_RELEASE, None),
    "process_pool": (STANDARD, "multiprocessing", ANY_RELEASE, None),
    "log_listener": (STANDARD, "logging", ANY_RELEASE, None),
    "tls": (STANDARD, "ssl", ANY_RELEASE, None),
    "crawler": (STANDARD, "asyncio", ANY_RELEASE, None),
    "event_stream": (STANDARD, "asyncio", ANY_RELEASE, None),
    "timeouts": (STANDARD, "asyncio", ANY_RELEASE, None),
    "anyio_timeouts": (STANDARD, "anyio", ANY_RELEASE, None),
    "shared_log": (STANDARD, "logging", ANY_RELEASE, None),
    "heavy_steps": (STANDARD, "json", ANY_RELEASE, None),
    "abandoned_generators": (STANDARD, "asyncio", ANY_RELEASE, None),
    "background_tasks": (STANDARD, "asyncio", ANY_RELEASE, None),
    "answers_by_key": (STANDARD, "asyncio", ANY_RELEASE, None),
    "pipes": (STANDARD, "asyncio", ANY_RELEASE, None),
}
# Which releases must have packages where the environment says CI; those that are not named here: all of them.
REQUIRED = {"aiohttp": RELEASES[1:], "fastapi, uvicorn": RELEASES[1:], "asyncpg": RELEASES[1:], "psycopg": RELEASES[1:], "uvloop": RELEASES[1:3],
            "aiohttp, uvloop": RELEASES[1:3], "fastapi, uvicorn, uvloop": RELEASES[1:3]}
NOT_IN_ROOTS = ("process_pool", "pipes")  # these have neither /dev/shm nor /bin/cat


def is_meant_for(release, name):
    return release >= SERVICES[name][2]


def can_run(interpreter, name):
    if not is_meant_for(interpreter.version[:2], name) or (interpreter.root and name in NOT_IN_ROOTS):
        return False
    return SERVICES[name][1] in importable(interpreter, tuple(sorted({each[1] for each in SERVICES.values()})))


def cases():
    """Each service on one interpreter of each release: preferably one whose own distribution made the packages."""
    ordered = sorted(interpreters.matrix(), key=lambda each: not (each.root or each.origin == "system"))
    for name in SERVICES:
        for release in RELEASES:
            found = [each for each in ordered if each.version[:2] == release and can_run(each, name)]
            if found:
                yield found[0], name


CASES = list(cases())
LOADED = [case for case in CASES if SERVICES[case[1]][3]]


def test_every_service_runs_on_the_releases_that_matter():
    if not interpreters.required():
        pytest.skip("only in CI")
    for name in SERVICES:
        found = {interpreter.version[:2] for interpreter, each in CASES if each == name}
        releases = {each for each in REQUIRED.get(SERVICES[name][1], RELEASES) if is_meant_for(each, name)}
        missing = releases - found - ({RELEASES[-1]} if name in NOT_IN_ROOTS else set())
        assert not missing, "{} is missing on {}".format(name, sorted(missing))


class Service:
    """A service that runs, and can be asked how far its work has gone."""

    def __init__(self, start, interpreter, name, arguments):
        self.target = start(interpreter, SERVICES[name][0], name, *arguments, environment=environment_of(interpreter))
        self.facts = self.target.next_report()

    def ask_rounds(self):
        os.write(self.target.process.stdin.fileno(), b"?")
        return self.target.next_report()

    def wait_for_work(self):
        """Until more of every kind of work has been done than at first, if it does any by itself."""
        until = time.monotonic() + PATIENCE
        now = before = self.ask_rounds()
        while any(now[kind] <= before[kind] for kind in before):
            assert time.monotonic() < until, (before, now, self.target.log_text())
            time.sleep(0.005)
            now = self.ask_rounds()


@pytest.fixture
def begin(start, request):
    def begin_service(interpreter, name):
        ports = [request.getfixturevalue(each) for each in ("postgres_port", "redis_port")] if SERVICES[name][0] == DATA else []
        return Service(start, interpreter, name, ports)

    return begin_service


def check_health(asyncspy, service, name, interpreter, record_health, between):
    alarms = []
    for arguments in DUMPS:
        report = asyncspy.dump(service.target.pid, *arguments)
        assert report["tasks"] and report["loops"]
        alarms += [each for each in report["findings"] if is_alarm(each)]
        between()
    record_health(name, interpreter, alarms)
    assert not alarms, json.dumps(alarms, indent=1)
    assert "Traceback" not in service.target.log_text(), service.target.log_text()


@pytest.mark.parametrize("interpreter, name", CASES, ids=lambda each: each if isinstance(each, str) else each.label)
def test_a_healthy_service_has_no_finding(asyncspy, begin, record_health, interpreter, name):
    service = begin(interpreter, name)
    requests = SERVICES[name][3]
    connections = Connections(service.facts["port"], requests) if requests else None
    if connections:
        connections.quiet()
    between = service.ask_rounds if requests else service.wait_for_work
    try:
        check_health(asyncspy, service, name, interpreter, record_health, between)
    finally:
        if connections:
            connections.close()


@pytest.mark.parametrize("interpreter, name", LOADED, ids=lambda each: each if isinstance(each, str) else each.label)
def test_a_healthy_service_under_load_has_no_finding(asyncspy, begin, record_health, interpreter, name):
    service = begin(interpreter, name)
    requests = SERVICES[name][3]
    connections = Connections(service.facts["port"], requests)
    try:
        connections.wait_for_answers(len(requests))
        check_health(asyncspy, service, name + " loaded", interpreter, record_health, lambda: connections.wait_for_answers(len(requests)))
    finally:
        connections.close()
