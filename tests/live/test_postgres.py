"""Tasks that wait for a real PostgreSQL in asyncpg's Cython coroutines."""
import os

import pytest

import interpreters
import postgres
from compare import compare
from target import HERE

PROGRAM = os.path.join(HERE, "services", "asyncpg_query.py")


@pytest.fixture(scope="module")
def server():
    programs = postgres.find_programs() if os.geteuid() == 0 else None
    if not programs and not interpreters.required():
        pytest.skip("no PostgreSQL here, or not root")
    assert programs, "no PostgreSQL here, or not root"
    running = postgres.Server(programs)
    yield running
    running.close()


@pytest.mark.parametrize("interpreter", [each for each in interpreters.matrix() if each.has_package("asyncpg")],
                         ids=lambda each: each.label)
def test_a_cython_coroutine_is_a_link_of_the_chain_and_leads_on(asyncspy, start, interpreter, server):
    target = start(interpreter, PROGRAM, server.port)
    settled = target.next_report()
    report = asyncspy.dump(target.pid)
    result = compare(settled, target.ask_account(), report)
    assert not result.differences, result.report()
    waiting = {}
    for task in report["tasks"]:
        if task["stack"][-1]["kind"] == "opaque":
            waiting[task["stack"][0]["function"]] = task
    assert set(waiting) == {"query", "fetch"}
    for task in waiting.values():
        link = task["stack"][-1]
        assert link["type"].endswith("coroutine") and link["function"].startswith("BaseProtocol."), link
        assert task["awaited"] and not task["gaps"]
