"""Two tasks that hold each other's lock: both are seen waiting in acquire, for the lock that the other one has."""
import pytest

import interpreters


@pytest.mark.parametrize("interpreter", interpreters.matrix(), ids=lambda each: each.label)
def test_both_tasks_of_a_lock_deadlock_wait_in_acquire(asyncspy, start_situation, interpreter):
    target = start_situation(interpreter, "lock_deadlock")
    report = asyncspy.dump(target.pid)
    takers = [task for task in report["tasks"] if task["stack"][0]["function"] == "take"]
    assert len(takers) == 2
    for task in takers:
        assert [frame["name"] for frame in task["stack"]] == ["take", "__aenter__", "acquire"]
        assert task["stack"][0]["file"].endswith("lock_deadlock.py") and task["stack"][0]["line"] == 12
        assert task["stack"][-1]["file"].endswith("asyncio/locks.py") and task["stack"][-1]["line"] > 0
        assert task["state"] == "pending" and not task["running"]
        assert task["wait"]["kind"] == "primitive"
        assert (task["wait"]["primitive"], task["wait"]["operation"]) == ("Lock", "acquire")
    assert len({task["wait"]["object"] for task in takers}) == 2
    assert [loop["state"] for loop in report["loops"]] == ["idle"]


def test_the_text_shows_both_tasks_of_a_lock_deadlock(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "lock_deadlock")
    done = asyncspy.run("dump", target.pid)
    assert done.returncode in (0, 1)
    text = done.stdout.decode()
    assert "Lock.acquire" in text and "lock_deadlock.py:" in text
