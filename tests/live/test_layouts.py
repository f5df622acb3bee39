"""The version files of python-layouts agree with the debug information of every Python here that has it."""
import os
import shutil
import sys

import pytest

import interpreters

SCRIPTS = os.path.join(os.path.dirname(os.path.dirname(interpreters.HERE)), "scripts")
sys.path.insert(0, SCRIPTS)

import check_layouts  # noqa: E402
import extract_layout  # noqa: E402

MATRIX = interpreters.matrix()
DESCRIBED = [each for each in MATRIX if each.origin != "system"]  # the machine's own Python is stripped


@pytest.fixture(autouse=True, scope="module")
def gdb():
    if not shutil.which("gdb") and not interpreters.required():
        pytest.skip("no gdb here: scripts/install-packages tests")
    assert shutil.which("gdb")


def measure(interpreter):
    try:
        return extract_layout.measure(interpreter.executable, interpreter.root)
    except extract_layout.NoDebugInformation as error:
        if not interpreters.required():
            pytest.skip(str(error))
        raise


@pytest.mark.parametrize("interpreter", DESCRIBED, ids=lambda each: each.label)
def test_every_member_of_the_version_file_is_where_the_debug_information_says(interpreter):
    version, members, states = measure(interpreter)
    count, wrong, moved = check_layouts.compare(version, members, states)
    assert wrong == []
    assert count == len(extract_layout.parse_layouts(extract_layout.version_file(version[1]))[0]["members"]) > 160
    assert version == interpreter.version
    assert len(moved) <= 5


@pytest.mark.parametrize("interpreter", [each for each in DESCRIBED if each.version[:2] == (3, 12)], ids=lambda each: each.label)
def test_an_extracted_version_file_has_the_numbers_of_the_one_that_is_there(interpreter, tmp_path):
    path = tmp_path / "extracted.cpp"
    path.write_text(extract_layout.render(*measure(interpreter)))
    (extracted,) = extract_layout.parse_layouts(str(path))
    (known,) = extract_layout.parse_layouts(extract_layout.version_file(12))
    assert extracted["members"] == known["members"]
    assert extracted["states"] == known["states"]
    assert extracted["measured_from"] == "{}.{}.{}".format(*interpreter.version)


@pytest.mark.parametrize("minor", range(7, 16))
def test_a_wrong_number_of_a_version_file_is_found_whichever_it_is(minor):
    for layout in extract_layout.parse_layouts(extract_layout.version_file(minor)):
        right = layout["members"]
        assert check_layouts.differences(layout, right, layout["states"]) == []
        for name, value in right.items():
            other = (value[0], value[1] ^ 2) if isinstance(value, tuple) else 0 if value == extract_layout.ABSENT else value + 8
            found = check_layouts.differences(layout, {**right, name: other}, layout["states"])
            assert found == [(name, value, other)]
        without = {name: value for name, value in right.items() if name != "task.coroutine"}
        assert [each[0] for each in check_layouts.differences(layout, without, layout["states"])] == ["task.coroutine"]
