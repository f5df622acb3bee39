"""Runs inside gdb: reads {"members": {name: [candidate...]}, "enumerators": [name...]} from the file named by the variable
LAYOUT_QUESTION and prints, as JSON, what the debug information of the loaded program answers (see layout_map.py).

A number is an offset or a size, a pair is a bit field or a truth value with its mask. What it does not have is left out.
"""
import json
import os

import gdb


def find_type(name):
    for spelling in (name, "struct " + name):
        try:
            found = gdb.lookup_type(spelling).strip_typedefs()
        except gdb.error:
            continue
        if found.code == gdb.TYPE_CODE_STRUCT and found.fields():
            return found
    return None


def find_member(kind, name):
    """Position in bits, width in bits and type of a member, looked for in nameless parts and in what starts the struct."""
    kind = kind.strip_typedefs()
    if kind.code not in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        return None
    for field in kind.fields():
        if field.name == name:
            return field.bitpos, field.bitsize, field.type
    for field in kind.fields():
        if not field.name or field.bitpos == 0:
            found = find_member(field.type, name)
            if found:
                return field.bitpos + found[0], found[1], found[2]
    return None


def follow(path):
    name, *members = path.split(".")
    kind, position, width = find_type(name), 0, 0
    for member in members:
        found = kind and find_member(kind, member)
        if not found:
            return None
        position, width, kind = position + found[0], found[1], found[2]
    return position, width, kind


def answer(candidate):
    if candidate == "zero":
        return 0
    how, _, path = candidate.rpartition(":")
    if how == "size":
        kind = find_type(path)
        return kind and kind.sizeof
    found = follow(path)
    if not found:
        return None
    position, width, kind = found
    if how != "flag":
        return None if width else position // 8
    mask = ((1 << width) - 1) << position % 8 if width else (1 << 8 * kind.strip_typedefs().sizeof) - 1
    return [position // 8, mask]


def first_answer(candidates):
    for candidate in candidates:
        found = answer(candidate)
        if found is not None:
            return found
    return None


def enumerator(name):
    try:
        return int(gdb.parse_and_eval("(int)" + name))
    except gdb.error:
        return None


with open(os.environ["LAYOUT_QUESTION"]) as file:
    question = json.load(file)
answers = {name: first_answer(candidates) for name, candidates in question["members"].items()}
values = {name: enumerator(name) for name in question["enumerators"]}
print("ANSWER " + json.dumps([{name: value for name, value in each.items() if value is not None} for each in (answers, values)]))
