"""Prints the rows of line_table_samples.h for the interpreter that runs it: line tables with the lines it finds in them.

    for python in python3.7 ... python3.13; do $python make_line_table_samples.py; done
"""
import dis
import sys

SOURCE = '''
def plain(a, b):
    c = a + b

    # a comment
    if c:
        d = [x
             for x in
             range(c)]
    else:
        d = (a,
             b,
             c)
    for e in d:
        try:
            print(e,
                  b)
        except ValueError:
            raise
    return d
async def waits(lock, queue):
    async with lock:
        item = await queue.get(
            1,
            2,
        )
        yield item
    await lock.release(
    )
def far(a):
''' + "    a = 1\n" + "\n" * 300 + "    return (\n" + "\n" * 140 + "a +\n" + "\n" * 3 + "        1)\n" + '''
def backwards(a): return [
    f(
        1), g(2)
] if a else h(
  3)
'''
NAMES = ("plain", "waits", "far", "backwards")


def lines_of(code):
    """[(offset, line)] where the line changes; 0 stands for none."""
    if hasattr(code, "co_lines"):
        by_offset = {at: line or 0 for start, end, line in code.co_lines() for at in range(start, end, 2)}
    else:
        by_offset, line, starts = {}, code.co_firstlineno, dict(dis.findlinestarts(code))
        for at in range(0, len(code.co_code), 2):
            line = starts.get(at, line)
            by_offset[at] = line
    return [(at, line) for at, line in sorted(by_offset.items()) if by_offset.get(at - 2) != line]


def wrap(items, indent):
    text, column = "", 120
    for item in items:
        if column + len(item) + 2 > 118:
            text, column = text.rstrip() + "\n" + " " * indent, indent
        text += item + ", "
        column += len(item) + 2
    return text.rstrip().rstrip(",")


for code in compile(SOURCE, "sample.py", "exec").co_consts:
    if getattr(code, "co_name", "") not in NAMES:
        continue
    table = code.co_linetable if sys.version_info >= (3, 10) else code.co_lnotab
    coding = "kLocations" if sys.version_info >= (3, 11) else "kRanges" if sys.version_info >= (3, 10) else "kLnotab"
    print('    {{"{}.{} {}", LineTable::{}, {}, {},'.format(*sys.version_info[:2], code.co_name, coding,
                                                          code.co_firstlineno, len(code.co_code)))
    print("     {" + wrap([str(byte) for byte in bytearray(table)], 6) + "},")
    print("     {" + wrap(["{%d, %d}" % pair for pair in lines_of(code)], 6) + "}},")
