"""Which CPython struct member stands behind each member of python-layouts/layout.h.

The table itself is python-layouts/cpython_members.h, which asyncspy is compiled with; what its entries mean is said there.
Shared by extract_layout.py (prints a version file) and check_layouts.py (compares version files with DWARF).
"""
import os
import re

HEADER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python-layouts", "cpython_members.h")
ENTRY = re.compile(r'^    \{"([\w.]+)", \{((?:"[\w.:]+"(?:, )?)+)\}(?:, (\d+))?(?:, (\d+))?\},$')


def read_table():
    """Candidates, first and last minor release by member. Every line of the table has to be understood."""
    members, not_before, not_after = {}, {}, {}
    with open(HEADER) as file:
        body = file.read().split("kCpythonMembers[] = {\n", 1)[1].split("\n};", 1)[0]
    for line in body.splitlines():
        entry = ENTRY.match(line)
        if not entry:
            raise ValueError("{}: not an entry: {}".format(HEADER, line))
        name, candidates, since, until = entry.groups()
        members[name] = re.findall(r'"([^"]+)"', candidates)
        if since and int(since):
            not_before[name] = int(since)
        if until:
            not_after[name] = int(until)
    return members, not_before, not_after


MEMBERS, NOT_BEFORE, NOT_AFTER = read_table()
