"""What a dump says of a task beyond its stack: exceptions that it is handling, how it ended, where it was made, its context."""
import os
import re

import pytest

import interpreters
from target import HERE, SITUATIONS

RELEASES = ((3, 8), (3, 11), (3, 13), (3, 15))
CHOSEN = [each for each in interpreters.matrix() if each.version[:2] in RELEASES]
PROGRAM = os.path.join(SITUATIONS, "task_facts.py")
VARIANTS = [pytest.param(each, variant, id="{}-{}".format(variant or "plain", each.label)) for variant in (None, "python") for each in CHOSEN]
NOTHING = {"created_at": [], "coroutine_origin": [], "context": [], "handling": [], "outcome": None}


@pytest.fixture
def start_facts(start):
    def start_variant(interpreter, variant=None, *arguments):
        program = [os.path.join(HERE, "variant.py"), variant, PROGRAM] if variant else [PROGRAM]
        target = start(interpreter, *program, *arguments)
        target.settled = target.next_report()
        return target

    return start_variant


def facts_by_name(dump):
    assert not any(task["gaps"] for task in dump["tasks"])
    return {task["name"]: task["facts"] or NOTHING for task in dump["tasks"]}


def places(found):
    return [[place["function"], place["file"], place["line"]] for place in found]


@pytest.mark.parametrize("interpreter, variant", VARIANTS)
def test_frames_that_handle_an_exception_say_which(asyncspy, start_facts, interpreter, variant):
    target = start_facts(interpreter, variant)
    found = facts_by_name(asyncspy.dump(target.pid))
    known = target.settled["promise"]["facts"]
    pending = [name for name in known if not name.startswith(("raises", "returns"))]
    for name in pending:
        handling = [[each["frame"], each["exception"], each["is_cancellation"]] for each in found[name]["handling"]]
        assert handling == known[name]["handling"], name
    assert [name for name in pending if found[name]["handling"]] == ["stubborn", "finishes", "within", "exits"]


@pytest.mark.parametrize("interpreter, variant", [each for each in VARIANTS if "plain-3.15" not in each.id])  # such tasks are in no list any more
def test_finished_tasks_tell_how_they_ended(asyncspy, start_facts, interpreter, variant):
    target = start_facts(interpreter, variant)
    found = facts_by_name(asyncspy.dump(target.pid))
    ways = {name: found[name]["outcome"].pop("raised_at") for name in ("raises", "raises_unheard", "raises_deep", "returns")}
    held = {name: found[name]["outcome"].pop("held") for name in ways}
    assert held == {"raises": False, "raises_unheard": True, "raises_deep": held["raises_deep"], "returns": False}  # the program keeps them all in a list
    assert found["raises"]["outcome"] == {"kind": "exception", "text": "ValueError: as intended", "never_retrieved": False}
    assert found["raises_unheard"]["outcome"] == {"kind": "exception", "text": "ValueError: as intended", "never_retrieved": True}
    assert found["returns"]["outcome"] == {"kind": "result", "text": "{'user': 'bob', 'password': <masked>}", "never_retrieved": False}
    for name, way in ways.items():
        known = target.settled["promise"]["facts"][name]["raised_at"][-20:]
        assert [[function.rpartition(".")[2], file, line] for function, file, line in places(way)] == known, name
    assert len(ways["raises"]) >= 1 and len(ways["raises_deep"]) == 20 and not ways["returns"]
    assert found["stubborn"]["outcome"] is None
    text = asyncspy.run("dump", target.pid).stdout.decode()
    assert re.search("raised ValueError: as intended in raises  .*task_facts.py:[0-9]+ .exception was never retrieved", text) and "hunter2" not in text
    unmasked = facts_by_name(asyncspy.dump(target.pid, "--no-mask"))
    assert unmasked["returns"]["outcome"]["text"] == "{'user': 'bob', 'password': 'hunter2'}"


@pytest.mark.parametrize("interpreter, variant", VARIANTS)
def test_debug_mode_tells_where_tasks_and_coroutines_were_made(asyncspy, start_facts, interpreter, variant):
    target = start_facts(interpreter, variant, "debug")
    found = facts_by_name(asyncspy.dump(target.pid))
    compared = 0
    for name, known in target.settled["promise"]["facts"].items():
        if name in found:
            assert places(found[name]["created_at"]) == known["created_at"] != [], name
            if found[name]["outcome"] is None:  # the coroutine is gone with the task's end
                assert places(found[name]["coroutine_origin"]) == known["coroutine_origin"] != [], name
            compared += 1
    assert compared >= 25
    plain = facts_by_name(asyncspy.dump(start_facts(interpreter, variant).pid))
    assert not any(each["created_at"] or each["coroutine_origin"] for each in plain.values())


@pytest.mark.parametrize("interpreter, variant", VARIANTS)
def test_context_variables_are_shown_for_each_task(asyncspy, start_facts, interpreter, variant):
    target = start_facts(interpreter, variant)
    found = facts_by_name(asyncspy.dump(target.pid, "--context", "request_id", "--context", "auth_token", "--context", "absent"))
    for number in range(20):
        assert found["handler-{}".format(number)]["context"] == [{"name": "auth_token", "value": "<masked>"},
                                                                 {"name": "request_id", "value": "'r-{}'".format(number)}]
    assert found["stubborn"]["context"] == [] == found["left_behind"]["context"]
    everything = facts_by_name(asyncspy.dump(target.pid, "--context", "*", "--no-mask"))["handler-0"]["context"]
    expected = {"many_{}".format(number): "0" for number in range(target.settled["promise"]["many"])}
    expected.update({"request_id": "'r-0'", "auth_token": "'hunter0'"})
    assert {each["name"]: each["value"] for each in everything} == expected
    text = asyncspy.run("dump", target.pid, "--context", "request_id").stdout.decode()
    assert re.search("20 tasks  handler-0[.]{2}handler-19.*  request_id = 'r-0', 'r-1', ", text), text
    assert "request_id" not in asyncspy.run("dump", target.pid, "--all").stdout.decode()


@pytest.mark.parametrize("interpreter", CHOSEN, ids=lambda each: each.label)
def test_escape_sequences_in_exceptions_do_not_reach_the_terminal(asyncspy, start_facts, interpreter):
    target = start_facts(interpreter)
    for form in ("text", "json"):
        written = asyncspy.run("dump", target.pid, "--all", "--color", "never", "--format", form).stdout.decode()
        assert "boom" in written
        assert not [each for each in written if ord(each) < 32 and each != "\n"]
