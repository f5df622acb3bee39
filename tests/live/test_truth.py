"""What asyncspy says of a situation is what the situation says of itself, on every interpreter and in every variant."""
import ast
import os

import pytest

import interpreters
from compare import compare
from target import HERE, SITUATIONS

NAMES = sorted(name[:-3] for name in os.listdir(SITUATIONS) if name.endswith(".py"))
WITH_OWN_TEST = ("forked", "greedy", "healthy", "heap", "leaking", "holds_gil_in_c", "native_calls", "pitfalls", "random_graph", "sub_interpreters", "task_facts", "values")
SEEDS = (1, 2, 3)
ARGUMENTS = {"crowd": [2000], "fan_in": [2000], "many_stacks": [3000]}

# What of asyncio a service may replace (see variant.py), and the situations in which that makes a difference.
PYTHON = ("await_cycle", "blocked_in_sleep", "ended_thread", "gather_and_wait", "generator_links", "loops_in_threads", "odd_awaitables",
          "primitives", "sockets", "stopped_loop", "swallowed_cancellation", "task_awaits_task")
VARIANTS = {
    "python": PYTHON,
    "no_accelerator": PYTHON,
    "eager": ("ended_thread", "gather_and_wait", "many_sleepers", "primitives", "sockets", "stopped_loop", "task_group"),
    "uvloop": ("asyncpg_connect", "blocked_in_sleep", "gather_and_wait", "generator_links", "primitives", "task_awaits_task"),
}


def mark_of(name, mark, default):
    """A comment `# MARK: VALUE` under the first line of a situation says what it needs."""
    with open(os.path.join(SITUATIONS, name + ".py")) as file:
        for line in file.readlines()[:3]:
            if line.startswith("# {}: ".format(mark)):
                return line.split()[2]
    return default


MATRIX = interpreters.matrix()
OLDEST = {name: tuple(map(int, mark_of(name, "needs", "3.7").split("."))) for name in NAMES}
PACKAGE = {name: mark_of(name, "package", None) for name in NAMES}
PACKAGED = {package: [each for each in MATRIX if each.has_package(package)]
            for package in {"uvloop"} | set(filter(None, PACKAGE.values()))}


def can_run(interpreter, name, variant=None):
    return (interpreter.version >= OLDEST[name] and (not PACKAGE[name] or interpreter in PACKAGED[PACKAGE[name]])
            and (variant != "uvloop" or interpreter in PACKAGED["uvloop"]) and (variant != "eager" or interpreter.version >= (3, 12)))


CASES = [pytest.param(interpreter, name, id="{}-{}".format(name, interpreter.label))
         for name in NAMES if name not in WITH_OWN_TEST for interpreter in MATRIX if can_run(interpreter, name)]
# In tasks of the Python implementation timeouts refuse to work from 3.14 on, unless the accelerator is absent.
VARIED = [pytest.param(interpreter, name, variant, id="{}-{}-{}".format(variant, name, interpreter.label))
          for variant, names in VARIANTS.items() for name in names for interpreter in MATRIX if can_run(interpreter, name, variant)
          and not (variant == "python" and name == "gather_and_wait" and interpreter.version >= (3, 14))]
RANDOM = [pytest.param(interpreter, variant, seed, id="{}-{}-{}".format(variant or "plain", seed, interpreter.label))
          for variant, seeds in ((None, SEEDS), ("python", SEEDS[:1]), ("no_accelerator", SEEDS[:1]), ("eager", SEEDS[:1]))
          for seed in seeds for interpreter in MATRIX if can_run(interpreter, "random_graph", variant)]


@pytest.fixture(scope="session")
def tally(request):
    """How much was compared, in all; conftest says it at the end."""
    request.config.comparisons = {"comparisons": 0, "tasks": 0, "dumps": 0}
    return request.config.comparisons


@pytest.fixture
def check(asyncspy, start, tally):
    """Starts a situation, holds the dump against its account, and returns dump and account."""
    def check_situation(interpreter, name, variant=None, arguments=()):
        program = os.path.join(SITUATIONS, name + ".py")
        if variant:
            target = start(interpreter, os.path.join(HERE, "variant.py"), variant, program, *arguments)
        else:
            target = start(interpreter, program, *arguments)
        settled = target.next_report()
        dump = asyncspy.dump(target.pid)
        truth = target.ask_account()
        check_promise(settled["promise"], truth)
        result = compare(settled, truth, dump)
        tally["comparisons"] += result.count
        tally["tasks"] += len(truth["tasks"])
        tally["dumps"] += 1
        assert not result.differences, result.report()
        assert result.count >= 5 + 10 * len(truth["tasks"])
        assert dump["python"]["version"] == "{}.{}.{}".format(*interpreter.version)
        return dump, truth

    return check_situation


@pytest.mark.parametrize("release", interpreters.SUPPORTED, ids="{0[0]}.{0[1]}".format)
def test_there_is_an_interpreter_of_every_supported_release(release):
    if release in interpreters.missing() and not interpreters.required():
        pytest.skip("no Python {}.{} here".format(*release))
    assert release not in interpreters.missing()


@pytest.mark.parametrize("name", interpreters.ROOT_NAMES)
def test_there_is_every_root(name):
    if name in interpreters.missing_roots() and not interpreters.required():
        pytest.skip("no root {} here: scripts/make-roots makes it".format(name))
    assert name not in interpreters.missing_roots()


@pytest.mark.parametrize("package", sorted(PACKAGED))
def test_some_interpreter_has_every_package(package):
    if not PACKAGED[package] and not interpreters.required():
        pytest.skip("no interpreter here has {}: scripts/install-packages tests".format(package))
    assert PACKAGED[package]


@pytest.mark.parametrize("name", NAMES)
def test_every_situation_says_what_it_is(name):
    with open(os.path.join(SITUATIONS, name + ".py")) as file:
        assert ast.get_docstring(ast.parse(file.read()))


@pytest.mark.parametrize("interpreter, name", CASES)
def test_the_dump_equals_what_the_target_knows(check, interpreter, name):
    check(interpreter, name, arguments=ARGUMENTS.get(name, ()))


@pytest.mark.parametrize("interpreter, name, variant", VARIED)
def test_the_dump_is_right_for_other_implementations_of_asyncio(check, interpreter, name, variant):
    dump, _ = check(interpreter, name, variant)
    types = {task["type"] for task in dump["tasks"] if "asyncio" in task["type"]}
    if variant in ("python", "no_accelerator"):
        assert types == {"asyncio.tasks.Task"}
    if variant == "uvloop":
        assert {loop["type"] for loop in dump["loops"]} == {"uvloop.Loop"}


@pytest.mark.parametrize("interpreter, variant, seed", RANDOM)
def test_the_dump_of_a_random_graph_equals_what_the_target_knows(check, interpreter, variant, seed):
    check(interpreter, "random_graph", variant, [seed])


@pytest.mark.parametrize("interpreter", [each for each in MATRIX if can_run(each, "sub_interpreters")], ids=lambda each: each.label)
def test_tasks_and_loops_of_sub_interpreters_are_found(asyncspy, start_situation, interpreter):
    target = start_situation(interpreter, "sub_interpreters")
    dump = asyncspy.dump(target.pid)
    truth = target.ask_account()
    hidden = target.settled["promise"]["hidden_tasks"]
    leaves = [task for task in dump["tasks"] if task["stack"] and task["stack"][0]["function"] == "leaf"]
    assert sorted(task["id"] for task in leaves) == hidden and len(hidden) == 5
    assert sorted([frame["function"] for frame in task["stack"]] for task in leaves) == [["leaf", "sleep"]] * 5
    assert all(task["state"] == "pending" and task["loop"] is not None for task in leaves)
    assert {task["id"] for task in truth["tasks"]} < {task["id"] for task in dump["tasks"]}
    assert len(dump["tasks"]) == len(hidden) + 3 and len(dump["loops"]) == 3
    running = {dump["threads"][loop["thread"]]["namespace_tid"] for loop in dump["loops"]}
    assert running == {thread["tid"] for thread in truth["threads"]}
    assert dump["gaps"] == [] and not any(task["gaps"] for task in dump["tasks"])


def check_promise(promise, truth):
    """The account is not taken on trust: each situation knows some numbers of its own."""
    if "tasks" in promise:
        assert len([task for task in truth["tasks"] if task["state"] == "pending"]) == promise["tasks"]
    if "at_least" in promise:
        assert len([task for task in truth["tasks"] if task["state"] == "pending"]) >= promise["at_least"]
    if "done" in promise:
        assert len([task for task in truth["tasks"] if task["state"] != "pending"]) == promise["done"]
    if "loops" in promise:
        assert len(truth["loops"]) == promise["loops"]
    if "links" in promise:
        assert len(truth["tasks"][0]["stack"]) == promise["links"]
    if "blocked" in promise:
        assert [loop["state"] for loop in truth["loops"]] == ["blocked"]
