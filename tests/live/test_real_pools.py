"""Pools of real libraries that are exhausted, and a query without a timeout: the finding, its line and its evidence."""
import os

import pytest

import interpreters
from conftest import is_alarm
from packages import environment_of, importable
from target import HERE

PROGRAM = os.path.join(HERE, "services", "pools.py")
RELEASES = ((3, 11), (3, 13), (3, 15))
PARTS = ("aiohttp", "asyncpg")


def cases(package):
    """One interpreter of each release that has the package: preferably one whose own distribution made it."""
    ordered = sorted(interpreters.matrix(), key=lambda each: not (each.root or each.origin == "system"))
    for release in RELEASES:
        yield from [each for each in ordered if each.version[:2] == release and package in importable(each, PARTS)][:1]


def with_package(package):
    return pytest.mark.parametrize("interpreter", list(cases(package)), ids=lambda each: each.label)


def test_the_packages_are_there_on_the_releases_that_matter():
    if not interpreters.required():
        pytest.skip("only in CI")
    for package in PARTS:
        assert [each.version[:2] for each in cases(package)] == list(RELEASES), package


def line_of(name):
    with open(PROGRAM) as file:
        found = [number for number, line in enumerate(file, 1) if line.rstrip().endswith("# here: " + name)]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def find(asyncspy, start, record_finding, postgres_port):
    """The finding of a rule in a situation that must have it, with the facts as the program told them."""
    def find_one(interpreter, name, rule, severity):
        target = start(interpreter, PROGRAM, name, postgres_port, environment=environment_of(interpreter))
        facts = target.next_report()
        report = asyncspy.dump(target.pid)
        kinds = [(each["rule"], each["confidence"], each["severity"]) for each in report["findings"]]
        expected = (rule, "observed", severity)
        record_finding(rule, name, interpreter, expected in kinds, [each for each in kinds if each != expected and each[2] != "info"], True)
        assert expected in kinds, report["findings"]
        finding = report["findings"][kinds.index(expected)]
        assert not [each for each in report["findings"] if is_alarm(each) and each["rule"] != rule], report["findings"]
        culprit = finding["culprit"]
        assert (culprit["file"], culprit["line"]) == (PROGRAM, line_of(name)), finding
        return report, finding, facts

    return find_one


@with_package("asyncpg")
def test_a_pool_whose_holders_want_a_second_connection_is_exhausted(find, interpreter):
    report, finding, _ = find(interpreter, "asyncpg_nested", "P10", "warning")
    assert finding["culprit"]["function"] == "copy_row"
    holders = {task["id"] for task in report["tasks"] if task["stack"] and task["stack"][0]["function"] == "copy_row"}
    assert set(finding["tasks"]) == holders and len(holders) == 2
    assert "2 tasks wait for a free connection of a pool (asyncpg)" in finding["sentence"]


@with_package("aiohttp")
def test_a_connector_with_a_stalled_server_is_only_busy(find, interpreter):
    _, finding, _ = find(interpreter, "aiohttp_limit", "P10", "info")
    assert len(finding["tasks"]) == 4 and "(aiohttp connector)" in finding["sentence"]
    assert "1 task uses its connections" in finding["sentence"]


@with_package("aiohttp")
def test_a_connector_whose_connection_is_kept_is_exhausted(find, interpreter):
    _, finding, _ = find(interpreter, "aiohttp_held", "P10", "warning")
    assert len(finding["tasks"]) == 1 and "(aiohttp connector)" in finding["sentence"]


@with_package("asyncpg")
def test_a_query_that_waits_for_a_row_lock_without_a_timeout_names_the_server(find, interpreter, postgres_port):
    report, finding, facts = find(interpreter, "asyncpg_row_lock", "P12", "info")
    assert finding["culprit"]["function"] == "change"
    peer = "127.0.0.1:{}".format(postgres_port)
    assert peer in finding["sentence"] and any(peer in each and facts["local"] in each for each in finding["evidence"]), finding
    assert len(finding["tasks"]) == 1
