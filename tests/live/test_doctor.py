"""`asyncspy doctor` on every interpreter of the matrix. What it says is kept under build/test-results."""
import os
import re
import subprocess

import pytest

import interpreters
from conftest import ROOT

RESULTS = os.path.join(ROOT, "build", "test-results")


@pytest.mark.parametrize("interpreter", interpreters.matrix(), ids=lambda each: each.label)
def test_doctor_finds_nothing_wrong_and_says_where_each_fact_is_from(asyncspy, start_situation, interpreter):
    target = start_situation(interpreter, "many_sleepers")
    done = asyncspy.run("doctor", target.pid, "--layout")
    text = done.stdout.decode()
    os.makedirs(RESULTS, exist_ok=True)
    with open(os.path.join(RESULTS, "doctor-{}.txt".format(interpreter.label)), "w") as file:
        file.write(text)
    assert done.returncode == 0 and done.stderr == b"", text + done.stderr.decode()
    assert "CPython {}.{}.{} in ".format(*interpreter.version) in text
    passed, failed = re.search(r"(\d+) passed, (\d+) failed", text).groups()
    assert int(passed) >= 50 and failed == "0"
    assert ("SipHash-1-3" if interpreter.version >= (3, 11) else "SipHash-2-4") in text
    origins = dict(re.findall(r"^  (task\.coroutine|thread\.frame|frame\.owner|thread\.running_task) +\S+  (.*)$", text, re.M))
    exported = interpreter.version >= (3, 13)
    assert origins["thread.frame"] == ("_Py_DebugOffsets" if exported else "version file")
    assert origins["task.coroutine"] == (".AsyncioDebug" if interpreter.version >= (3, 14) else "version file")


def test_doctor_says_what_stands_in_the_way(asyncspy):
    sleeper = subprocess.Popen(["sleep", "1000"])
    try:
        done = asyncspy.run("doctor", sleeper.pid)
        assert done.returncode == 4
        assert re.search(r"^BAD   python .*no Python interpreter was found", done.stdout.decode(), re.M), done.stdout.decode()
    finally:
        sleeper.kill()
        sleeper.wait()
