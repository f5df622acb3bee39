"""What asyncspy says of a situation is what the situation says of itself, on every supported interpreter."""
import ast
import os

import pytest

import interpreters
from compare import compare
from target import SITUATIONS

NAMES = sorted(name[:-3] for name in os.listdir(SITUATIONS) if name.endswith(".py"))


def oldest_release(name):
    """The release that a situation needs: the comment `# needs: 3.N` under its first line."""
    with open(os.path.join(SITUATIONS, name + ".py")) as file:
        for line in file.readlines()[:3]:
            if line.startswith("# needs: "):
                return tuple(map(int, line.split()[2].split(".")))
    return (3, 7)


CASES = [pytest.param(interpreter, name, id="{}-{}".format(name, interpreter.label))
         for name in NAMES for interpreter in interpreters.matrix() if interpreter.version >= oldest_release(name)]


@pytest.mark.parametrize("release", interpreters.SUPPORTED, ids="{0[0]}.{0[1]}".format)
def test_there_is_an_interpreter_of_every_supported_release(release):
    if release in interpreters.missing() and not interpreters.required():
        pytest.skip("no Python {}.{} here".format(*release))
    assert release not in interpreters.missing()


@pytest.mark.parametrize("name", NAMES)
def test_every_situation_says_what_it_is(name):
    with open(os.path.join(SITUATIONS, name + ".py")) as file:
        assert ast.get_docstring(ast.parse(file.read()))


@pytest.mark.parametrize("interpreter, name", CASES)
def test_the_dump_equals_what_the_target_knows(asyncspy, start_situation, interpreter, name):
    target = start_situation(interpreter, name)
    before = asyncspy.dump(target.pid)
    truth = target.ask_account()
    check_promise(target.settled["promise"], truth)
    result = compare(target.settled, truth, before)
    assert not result.differences, result.report()
    assert result.count >= 5 + 10 * len(truth["tasks"])
    assert before["python"]["version"] == "{}.{}.{}".format(*interpreter.version)


def check_promise(promise, truth):
    """The account is not taken on trust: each situation knows some numbers of its own."""
    if "tasks" in promise:
        assert len([task for task in truth["tasks"] if task["state"] == "pending"]) == promise["tasks"]
    if "done" in promise:
        assert len([task for task in truth["tasks"] if task["state"] != "pending"]) == promise["done"]
    if "loops" in promise:
        assert len(truth["loops"]) == promise["loops"]
    if "links" in promise:
        assert len(truth["tasks"][0]["stack"]) == promise["links"]
    if "blocked" in promise:
        assert [loop["state"] for loop in truth["loops"]] == ["blocked"]
