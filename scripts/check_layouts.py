#!/usr/bin/env python3
"""Compares every offset of the version files with the debug information of Pythons that have it.

    scripts/check_layouts.py PYTHON[:ROOT]...

Prints each difference and ends with 1 when there is one. Where a Python is another patch release than the one that the file
was measured from, what the target exports itself (_Py_DebugOffsets, .AsyncioDebug) may have moved: that is told apart.
"""
import os
import re
import subprocess
import sys

import extract_layout

DEBUG_OFFSETS = os.path.join(os.path.dirname(extract_layout.VERSIONS), "debug_offsets.cpp")


def exported_members(minor):
    """Members that asyncspy takes from tables in the target instead of from the version file."""
    with open(DEBUG_OFFSETS) as file:
        text = file.read()
    names = ["kExported3{}".format(minor)] + (["kExportedAsyncio"] if minor >= 14 else [])
    found = set()
    for name in names:
        for body in re.findall(r"\b{}\[\] = \{{(.*?)\}};".format(name), text, re.S):
            found.update(re.findall(r'\{\d+, "([\w.]+)"\}', body))
    if minor == 13:
        found.add("thread.running_loop")  # where the exported size of PyThreadState says
    return found


def differences(layout, members, states):
    """What differs: name, value of the version file, value of the debug information."""
    found = []
    for name, value in members.items():
        if name not in layout["members"]:
            found.append((name, "the version file has no such member", value))
        elif layout["members"][name] != value:
            found.append((name, layout["members"][name], value))
    for name in layout["members"]:
        if name not in members:
            found.append((name, layout["members"][name], "layout_map.py does not say what it is"))
    if all(value is not None for value in states.values()):
        for name, value in states.items():
            if layout["states"].get(name) != value:
                found.append(("frame_states." + name, layout["states"].get(name), value))
    return found


def compare(version, members, states):
    """Count of members compared, true differences, and members that moved between patch releases but are exported."""
    layouts = extract_layout.parse_layouts(extract_layout.version_file(version[1]))
    best = min((differences(layout, members, states) for layout in layouts), key=len)
    exported = exported_members(version[1]) if version[1] >= 13 else set()
    return (len(members), [each for each in best if each[0] not in exported], [each for each in best if each[0] in exported])


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: check_layouts.py PYTHON[:ROOT]...")
    failed = False
    for argument in sys.argv[1:]:
        python, _, root = argument.partition(":")
        try:
            version, members, states = extract_layout.measure(python, root)
            count, wrong, moved = compare(version, members, states)
        except (extract_layout.NoDebugInformation, OSError, subprocess.SubprocessError) as error:
            print("check_layouts: {}".format(error), file=sys.stderr)
            failed = True
            continue
        print("{}.{}.{}: {} members, {} differ, {} moved and exported".format(*version, count, len(wrong), len(moved)))
        for name, ours, theirs in wrong:
            print("  {}: version file {}, debug information {}".format(name, ours, theirs))
        failed = failed or bool(wrong)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
