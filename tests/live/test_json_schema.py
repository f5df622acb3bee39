"""The published schemas are sound, say no to what is wrong, and describe every field."""
import copy
import json
import os

import jsonschema
import pytest

from conftest import SCHEMA

FOLDER = os.path.dirname(SCHEMA)


@pytest.mark.parametrize("name", sorted(os.listdir(FOLDER)))
def test_every_schema_is_valid_and_describes_all_its_fields(name):
    with open(os.path.join(FOLDER, name)) as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    todo, fields = [schema], 0
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, dict):
            for field, value in node.get("properties", {}).items():
                fields += 1
                assert value.get("description") or "$ref" in value, field
            if node.get("type") == "object" and "properties" in node:
                assert node.get("additionalProperties") is False, sorted(node["properties"])
            todo.extend(node.values())
    assert fields > 5


def test_a_changed_report_is_rejected(asyncspy, start_situation, any_interpreter):
    report = asyncspy.dump(start_situation(any_interpreter, "pile_up").pid)
    for spoil in (lambda each: each.update(extra=1), lambda each: each.pop("tasks"),
                  lambda each: each["tasks"][0].update(id=12), lambda each: each["tasks"][0]["stack"].append({}),
                  lambda each: each["loops"][0].update(state="confused"), lambda each: each.update(schema_version=2)):
        changed = copy.deepcopy(report)
        spoil(changed)
        with pytest.raises(AssertionError, match="does not follow its schema"):
            asyncspy.check_schema(changed)


def places_in(value, place=()):
    """Paths of all values in it."""
    todo = [place]
    while todo:
        place = todo.pop()
        yield place
        here = value
        for key in place:
            here = here[key]
        keys = here if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        todo.extend(place + (key,) for key in keys)


def test_the_quick_check_agrees_with_the_thorough_one(asyncspy, start_situation, any_interpreter, schema):
    """Whatever one value of a report is replaced by: every field once."""
    todo = [schema]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            assert "$ref" not in node or set(node) <= {"$ref", "description"}, node  # draft 7 would not look at the rest
        todo.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
    report = asyncspy.dump(start_situation(any_interpreter, "await_cycle").pid)
    fields = {tuple(key for key in place if isinstance(key, str)): place for place in places_in(report) if place}
    verdicts = []
    for number, place in enumerate(fields.values()):
        changed = copy.deepcopy(report)
        parent = changed
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] = ({"surprise": 1}, -1, "", None, [7])[number % 5]
        is_good = asyncspy.validator.is_valid(changed)
        verdicts.append(is_good)
        if is_good:
            asyncspy.check_schema(changed)
        else:
            with pytest.raises(AssertionError, match="does not follow its schema"):
                asyncspy.check_schema(changed)
    assert len(verdicts) > 100 and not all(verdicts) and any(verdicts)


def test_the_list_of_processes_follows_its_schema_and_has_the_target(asyncspy, start_situation, any_interpreter):
    target = start_situation(any_interpreter, "many_sleepers")
    done = asyncspy.run("ps", "--format", "json")
    assert done.returncode in (0, 1)
    listed = json.loads(done.stdout.decode())
    with open(os.path.join(FOLDER, "ps.schema.json")) as file:
        jsonschema.Draft202012Validator(json.load(file)).validate(listed)
    (process,) = [each for each in listed["processes"] if each["pid"] == target.pid]
    assert process["tasks"] == 201 and process["loops"] == 1 and process["blocked_loops"] == 0
