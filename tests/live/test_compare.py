"""The comparison that the live tests rest on: it agrees with a faithful dump, and notices every single change to one."""
import copy

import pytest

from compare import compare

SITUATIONS = ["pile_up", "generator_links", "loops_in_threads", "blocked_in_sleep", "swallowed_cancellation"]


def dump_from(settled, truth):
    """The dump that a perfect reader would print."""
    tids = [thread["tid"] for thread in truth["threads"]]
    places = {loop["id"]: place for place, loop in enumerate(truth["loops"])}
    threads = [{"tid": thread["tid"], "namespace_tid": thread["tid"], "has_python": True, "on_cpu": False,
                "holds_gil": False, "stack": copy.deepcopy(thread["stack"]), "gaps": []} for thread in truth["threads"]]
    loops = []
    for loop in truth["loops"]:
        overdue = [settled["monotonic"] - timer["deadline"] for timer in loop["timers"]
                   if not timer["cancelled"] and timer["deadline"] < settled["monotonic"]]
        late = {"seconds": max(overdue), "evidence": ""} if overdue and loop["state"] == "blocked" else None
        loops.append({**copy.deepcopy(loop), "gaps": [], "late": late,
                      "thread": None if loop["thread"] is None else tids.index(loop["thread"])})
    tasks = [{**copy.deepcopy(task), "loop": places[task["loop"]], "gaps": []} for task in truth["tasks"]]
    return {"asyncio": {"imported": truth["asyncio"]}, "process": {"pid": settled["pid"]}, "gaps": [],
            "capture": {"monotonic_seconds": settled["monotonic"]}, "threads": threads, "loops": loops, "tasks": tasks}


def changes(dump):
    """Every dump that differs from this one in one field, with the name of that field."""
    for place, task in enumerate(dump["tasks"]):
        for field in ("id", "name", "state", "running", "loop", "type", "awaited", "must_cancel", "cancel_requests", "callbacks"):
            yield "task " + field, ("tasks", place, field)
        for depth in range(len(task["stack"])):
            for field in ("function", "name", "file", "line", "kind", "object", "running"):
                if field in task["stack"][depth] and task["stack"][depth]["kind"] != "opaque":
                    yield "task frame " + field, ("tasks", place, "stack", depth, field)
    for place, loop in enumerate(dump["loops"]):
        for field in ("id", "type", "thread", "state", "current_task", "ready", "descriptors", "timers", "debug", "late"):
            yield "loop " + field, ("loops", place, field)
        for timer in range(len(loop["timers"])):
            for field in ("handle", "deadline", "cancelled"):
                yield "timer " + field, ("loops", place, "timers", timer, field)
    for place, thread in enumerate(dump["threads"]):
        yield "thread", ("threads", place, "namespace_tid")
        for depth in range(len(thread["stack"])):
            yield "thread frame", ("threads", place, "stack", depth, "line")


def altered(value):
    if value is None:
        return {"seconds": -1.0}
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    return [-1] if isinstance(value, list) else None


@pytest.fixture
def told(start_situation, any_interpreter, request):
    target = start_situation(any_interpreter, request.param)
    return target.settled, target.ask_account()


@pytest.mark.parametrize("told", SITUATIONS, indirect=True)
def test_a_faithful_dump_agrees(told):
    settled, truth = told
    result = compare(settled, truth, dump_from(settled, truth))
    assert not result.differences, result.report()


@pytest.mark.parametrize("told", SITUATIONS, indirect=True)
def test_every_change_of_one_field_is_noticed(told):
    settled, truth = told
    dump, seen = dump_from(settled, truth), set()
    for name, path in changes(dump):
        holder = dump
        for step in path[:-1]:
            holder = holder[step]
        old = holder[path[-1]]
        holder[path[-1]] = broken_reference(dump, name, old)
        try:
            assert compare(settled, truth, dump).differences, (name, path)
        finally:
            holder[path[-1]] = old
        seen.add(name)
    assert len(seen) >= 25, sorted(seen)


def broken_reference(dump, name, old):
    """Places in other lists stay inside them."""
    if name in ("task loop", "loop thread"):
        return None if old is not None else 0
    if name in ("timer deadline",):
        return old * (1 + 1e-15) if old * (1 + 1e-15) != old else old + 1e-9
    if name == "loop timers":
        return old[1:] if old else [{"handle": "0x1", "deadline": 1.0, "cancelled": False}]
    return altered(old)


@pytest.mark.parametrize("told", SITUATIONS, indirect=True)
def test_a_missing_task_and_an_invented_one_are_noticed(told):
    settled, truth = told
    dump = dump_from(settled, truth)
    complete = dump["tasks"]
    for place in range(len(complete)):
        dump["tasks"] = complete[:place] + complete[place + 1:]
        assert compare(settled, truth, dump).differences
    dump["tasks"] = complete + [{**complete[0], "id": "0x10"}]
    assert compare(settled, truth, dump).differences


@pytest.mark.parametrize("told", SITUATIONS, indirect=True)
def test_a_missing_frame_is_noticed(told):
    settled, truth = told
    dump = dump_from(settled, truth)
    for holder in dump["tasks"] + dump["threads"]:
        complete = holder["stack"]
        for depth, frame in enumerate(complete):
            if frame["kind"] != "opaque":
                holder["stack"] = complete[:depth] + complete[depth + 1:]
                assert compare(settled, truth, dump).differences
        holder["stack"] = complete
