#!/usr/bin/env python3
"""Prints a version file for python-layouts/versions from the debug information of a Python.

    scripts/extract_layout.py PYTHON [ROOT]     ROOT: the tree that the Python belongs to, when that is not /

All offsets and sizes and the values of frame states are measured. The behaviours (the enums at the end) are not in debug
information: they are taken over from the nearest older version file, and have to be looked at by a person.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap

import layout_map

SCRIPTS = os.path.dirname(os.path.abspath(__file__))
VERSIONS = os.path.join(os.path.dirname(SCRIPTS), "python-layouts", "versions")
ABSENT = "absent"
# The value of each frame state: `_framestate` in 3.10, `_frame_state` later.
STATES = {"created": ["FRAME_CREATED"], "suspended": ["FRAME_SUSPENDED"],
          "suspended_yield_from": ["FRAME_SUSPENDED_YIELD_FROM", "FRAME_SUSPENDED"], "executing": ["FRAME_EXECUTING"],
          "first_finished": ["FRAME_RETURNED", "FRAME_COMPLETED", "FRAME_CLEARED"]}

QUESTION = """
import json, sys, sysconfig
try:
    import _asyncio
except ImportError:
    _asyncio = None
get = sysconfig.get_config_var
print(json.dumps({"version": list(sys.version_info[:3]), "executable": sys.executable,
    "library": (get("LIBDIR") or "") + "/" + (get("INSTSONAME") or "") if get("Py_ENABLE_SHARED") else None,
    "accelerator": getattr(_asyncio, "__file__", None)}))
"""


class NoDebugInformation(Exception):
    pass


def describe(python):
    done = subprocess.run([python, "-c", QUESTION], stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(done.stdout.decode())


def candidates_of(minor):
    return {name: candidates for name, candidates in layout_map.MEMBERS.items()
            if layout_map.NOT_BEFORE.get(name, 0) <= minor <= layout_map.NOT_AFTER.get(name, 99)}


def ask_gdb(program, root, question):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(question, file)
        file.flush()
        done = subprocess.run(
            ["gdb", "-nx", "-nh", "-batch", "-iex", "set debuginfod enabled off", "-iex", "set auto-load off",
             "-iex", "set debug-file-directory " + root + "/usr/lib/debug", "-ex",
             "source " + os.path.join(SCRIPTS, "dwarf_offsets.py"), program],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=300,
            env={**os.environ, "LAYOUT_QUESTION": file.name, "PYTHONDONTWRITEBYTECODE": "1"})
    lines = [line for line in done.stdout.decode().splitlines() if line.startswith("ANSWER ")]
    if len(lines) != 1:
        raise RuntimeError("gdb {}: {}".format(program, done.stderr.decode()[-2000:]))
    return json.loads(lines[0][len("ANSWER "):])


def measure(python, root=""):
    """Version (three numbers), members and frame states of a Python: numbers, pairs for flags, or ABSENT."""
    facts = describe(python)
    minor = facts["version"][1]
    question = {"members": candidates_of(minor), "enumerators": sorted({each for names in STATES.values() for each in names})}
    # A distribution may link its interpreter statically and say that there is a library all the same.
    library = facts["library"] if facts["library"] and os.path.exists(root + facts["library"]) else None
    main = library or facts["executable"]
    members, values = {}, {}
    for path in filter(None, (main, facts["accelerator"])):
        new_members, new_values = ask_gdb(root + path, root, question)
        members = {**new_members, **members}
        values = {**new_values, **values}
    if "thread.next" not in members or "task.coroutine" not in members:
        raise NoDebugInformation("{}: no debug information of {}".format(
            python, "Python" if "thread.next" not in members else "the _asyncio module"))
    states = {state: next((values[name] for name in names if name in values), None) for state, names in STATES.items()}
    found = {name: members.get(name, ABSENT) for name in layout_map.MEMBERS}
    return tuple(facts["version"]), {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}, states


def parse_layouts(path):
    """The layouts of a version file: for each its own text, minor, origin, members and frame states."""
    with open(path) as file:
        text = file.read()
    layouts = []
    for block in re.findall(r"^constexpr PythonLayout \w+\{\n(.*?)^\};", text, re.S | re.M):
        members = {}
        for struct, body in re.findall(r"^    \.(\w+) = \{(.*?)\},\n(?=    \.|\Z)", block, re.S | re.M):
            for member, value in re.findall(r"\.(\w+) = (\{[^}]*\}|[\w-]+)", body):
                members["{}.{}".format(struct, member)] = parse_value(value)
        states = {name.partition(".")[2]: value for name, value in members.items() if name.startswith("frame_states.")}
        layouts.append({"text": block, "minor": int(re.search(r"\.minor = (\d+)", block).group(1)),
                        "measured_from": re.search(r'\.measured_from = "([^"]*)"', block).group(1), "states": states,
                        "members": {name: value for name, value in members.items() if not name.startswith("frame_states.")}})
    return layouts


def parse_value(value):
    if value in ("absent", "kAbsentOffset"):
        return ABSENT
    if value.startswith("{"):
        return tuple(int(each, 0) for each in value.strip("{}").split(","))
    return int(value, 0)


def version_file(minor):
    return os.path.join(VERSIONS, "cpython_3_{}.cpp".format(minor))


def nearest_older(minor):
    known = [int(re.search(r"_(\d+)\.cpp$", path).group(1)) for path in glob.glob(os.path.join(VERSIONS, "cpython_3_*.cpp"))]
    return max([each for each in known if each <= minor] or [min(known)])


def print_value(name, value):
    if isinstance(value, tuple):
        return "{{{}, {:#x}}}".format(*value)
    if value == ABSENT:
        if name in ("future.log_traceback", "task.must_cancel"):
            return "{kAbsentOffset, 0}"
        return "kAbsentOffset" if name.endswith(".size") else "absent"
    return str(value)


def render(version, members, states):
    """The text of a version file."""
    minor = version[1]
    model_minor = nearest_older(minor)
    model = parse_layouts(version_file(model_minor))[0]
    lines = ["// CPython 3.{}: every offset and behaviour that asyncspy relies on, x86-64, release build with the GIL.".format(minor),
             "//", "// Behaviours are those of 3.{}: check each against the release notes and the tests, and say here what changed.".format(
                 model_minor),
             '#include "fields.h"', '#include "versions.h"', "", "namespace asyncspy {", "namespace {", "",
             "constexpr PythonLayout kCpython3{}{{".format(minor), "    .minor = {},".format(minor),
             '    .measured_from = "{}.{}.{}",'.format(*version)]
    structs = {}
    for name, value in members.items():
        struct, member = name.split(".")
        structs.setdefault(struct, []).append(".{} = {}".format(member, print_value(name, value)))
    for struct, parts in structs.items():
        start = "    .{} = {{".format(struct)
        lines += textwrap.wrap(start + ", ".join(part.replace(" ", "\0") for part in parts) + "},", 118,
                               subsequent_indent=" " * len(start), break_long_words=False, break_on_hyphens=False)
    behaviours = re.findall(r"^    \.\w+ = (?!\{)(?!\d+,$)(?!\").*$", model["text"], re.M)
    own_states = {name: value if value is not None else 0 for name, value in states.items()}
    shown = "    .frame_states = {" + ", ".join(".{} = {}".format(*each) for each in own_states.items()) + "},"
    rest = [line for line in re.findall(r"^    \.(?:first_shim_owner|yield_from_opcode) = .*$", model["text"], re.M)]
    lines += [line for line in behaviours if line not in rest] + [shown] + rest
    lines += ["};", "static_assert(is_complete(kCpython3{}));".format(minor), "",
              "constexpr PythonLayout kLayouts[] = {{kCpython3{}}};".format(minor), "", "}  // namespace", "",
              "std::span<const PythonLayout> cpython_3_{0}_layouts() {{ return kLayouts; }}".format(minor), "", "}  // namespace asyncspy"]
    return "\n".join(lines).replace("\0", " ") + "\n"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: extract_layout.py PYTHON [ROOT]")
    try:
        sys.stdout.write(render(*measure(*sys.argv[1:])))
    except (NoDebugInformation, OSError, subprocess.SubprocessError) as error:
        sys.exit("extract_layout: {}\nhint: it needs gdb, and a Python with debug information".format(error))


if __name__ == "__main__":
    main()
