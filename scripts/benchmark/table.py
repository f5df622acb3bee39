"""The results as Markdown."""
from verdicts import TEXT, all_verdicts, median_of


def _time(seconds):
    if seconds is None:
        return "-"
    return "{:.2f} s".format(seconds) if seconds >= 1 else "{:.1f} ms".format(seconds * 1e3)


def _size(size):
    return "-" if size is None else "{:.0f} MB".format(size / 1e6)


def _ratio(value, own):
    return "" if not value or not own else " ({:.2g}x)".format(value / own) if value / own < 10 else " ({:.0f}x)".format(value / own)


def _comparison_rows(result):
    own = {name: median_of(result, TEXT, name) for name in ("wall", "felt_pause")}
    for series in result["series"]:
        medians = series["medians"]
        title = "{} {:,}".format(result["situation"], result["count"])
        if not series["runs"]:
            why, seconds = series["failures"][-1] if series["failures"] else ("not run", 0)
            yield [title, result["python"], series["tool"], "fails after {}: {}".format(_time(seconds), why.replace("|", "/")), "", "", ""]
            continue
        is_own = series["tool"] == TEXT
        yield [title, result["python"], series["tool"],
               _time(medians["wall"]) + ("" if is_own else _ratio(medians["wall"], own["wall"])), _time(medians["cpu"]),
               _size(medians["peak_bytes"]),
               _time(medians["felt_pause"]) + ("" if is_own else _ratio(medians["felt_pause"], own["felt_pause"]))]
    if result["bulk_copy"] is not None:
        yield ["", "", "a plain copy of {}".format(_size(result["capture"]["bytes_copied"])), "", "", "", _time(result["bulk_copy"])]
    yield ["", "", "nothing at all", "", "", "", _time(result["still"])]


def _table(titles, rows):
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def _figure(result, tool):
    """Wall time of a tool, or that it fails; "-" where it was not there."""
    for series in result["series"]:
        if series["tool"] == tool:
            return _time(series["medians"]["wall"]) if series["runs"] else "fails"
    return "-"


def _pause(result, tool):
    return _time(median_of(result, tool, "felt_pause"))


def for_readme(results, facts):
    """The comparison in short: one Python, the one with most peers."""
    idle = [result for result in results if result["situation"] == "idle"]
    python = max({result["python"] for result in idle}, key=lambda name: int(name.split(".")[1]))
    peers = ("{} asyncio ps".format(python), "{} asyncio pstree".format(python), "{} sampling dump --blocking".format(python))
    rows = []
    for result in (each for each in idle if each["python"] == python):
        rows.append(["{:,}".format(result["count"]), _figure(result, TEXT), _pause(result, TEXT),
                     _size(median_of(result, TEXT, "peak_bytes")), _figure(result, peers[0]), _figure(result, peers[1]),
                     _figure(result, peers[2]), _pause(result, peers[2]), _figure(result, "py-spy dump")])
    lines = ["Medians of one run of `scripts/bench` on {machine}, {date}, CPython {python}; all tools look at the same processes.".format(
                 python=python, **facts),
             "The pause is the longest time that a thread of the process stood still, as that thread felt it. py-spy shows threads,",
             "not tasks; `-` was not run, as it had failed with fewer tasks. A million tasks were dumped with `--max-pause 1000`.", ""]
    lines += _table(["idle tasks", "`asyncspy dump`", "pause", "memory", "`asyncio ps`", "`asyncio pstree`",
                     "`profiling.sampling dump --blocking`", "pause", "`py-spy dump`"], rows)
    words = {True: "yes", False: "no", None: "not measured"}
    lines += ["", *_table(["shown in that run", "", "figures"],
                          [[verdict.claim, words[verdict.holds], verdict.figures] for verdict in all_verdicts(results)])]
    return "\n".join(lines) + "\n"


def as_markdown(results, facts):
    lines = ["Medians of one run on {machine}, {date}. Ratios in brackets are to `asyncspy dump` on the same process.".format(**facts),
             "The pause is the longest time that a thread of the process stood still, as that thread felt it.", ""]
    compared = [result for result in results if "series" in result]
    if compared:
        rows = [row for result in compared for row in _comparison_rows(result)]
        lines += _table(["tasks", "Python", "tool", "wall time", "CPU time", "peak memory", "pause"], rows) + [""]
    churned = [result for result in results if result["situation"] == "churn"]
    if churned:
        rows = [["churn {:,}".format(result["count"]), result["python"], name, "{} of {}".format(tool["good"], tool["tried"]),
                 _time(tool["wall"]), _time(tool["felt_pause"]), "; ".join(tool["failures"] + tool["complaints"]).replace("|", "/")[:160]]
                for result in churned for name, tool in result["tools"].items()]
        lines += _table(["tasks", "Python", "tool", "succeeds", "wall time", "pause", "else"], rows) + [
            "", "asyncspy succeeds when its report is consistent (consistency.py), a peer when it names all tasks.", ""]
    words = {True: "yes", False: "NO", None: "?"}
    lines += _table(["must show", "", "figures"],
                    [[verdict.claim, words[verdict.holds], verdict.figures] for verdict in all_verdicts(results)])
    if facts["missing"]:
        lines += ["", "Missing: " + "; ".join(facts["missing"]) + "."]
    return "\n".join(lines) + "\n"
