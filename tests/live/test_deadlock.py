"""Two tasks that hold each other's lock: both are seen waiting in acquire, for the lock that the other one has."""


def test_both_tasks_of_a_lock_deadlock_wait_in_acquire(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "lock_deadlock")
    report = asyncspy.dump(target.pid)
    takers = [task for task in report["tasks"] if task["stack"][0]["function"] == "take"]
    assert len(takers) == 2
    for task in takers:
        assert [frame["function"] for frame in task["stack"]] == ["take", "_ContextManagerMixin.__aenter__", "Lock.acquire"]
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
