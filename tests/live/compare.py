"""Holds a JSON dump of asyncspy against the account that the target gave of itself, field by field, for exact equality."""


class Comparison:
    """Collects what differs, and counts what was looked at, so that a test can tell agreement from emptiness."""

    def __init__(self):
        self.count = 0
        self.differences = []

    def equal(self, what, truth, dump):
        self.count += 1
        if truth != dump:
            self.differences.append("{}\n    truth: {!r}\n    dump:  {!r}".format(what, truth, dump))

    def holds(self, what, condition, seen):
        self.count += 1
        if not condition:
            self.differences.append("{}\n    dump:  {!r}".format(what, seen))

    def report(self):
        shown = self.differences[:30]
        more = len(self.differences) - len(shown)
        head = "{} of {} comparisons differ".format(len(self.differences), self.count)
        return "\n".join([head] + shown + (["... and {} more".format(more)] if more else []))


def compare(settled, truth, dump):
    """`settled`: what the target said when it had come to rest, before the dump; `truth`: its account, after the dump."""
    result = Comparison()
    result.equal("asyncio imported", truth["asyncio"], dump["asyncio"]["imported"])
    result.equal("pid", settled["pid"], dump["process"]["pid"])
    now = dump["capture"]["monotonic_seconds"]
    result.holds("the dump lies between settling and account", settled["monotonic"] <= now <= truth["monotonic"], now)
    result.equal("gaps", [], dump["gaps"])
    _compare_threads(result, settled, truth, dump)
    _compare_loops(result, settled, truth, dump)
    _compare_tasks(result, truth, dump)
    return result


def _compare_threads(result, settled, truth, dump):
    shown = {each["namespace_tid"]: each for each in dump["threads"]
             if each["has_python"] and each["namespace_tid"] != settled["reporter"]}
    known = {each["tid"]: each for each in truth["threads"] if each["tid"] is not None}
    result.equal("threads that run Python", sorted(known), sorted(shown))
    for tid in sorted(set(known) & set(shown)):
        what = "thread {}".format(tid)
        _compare_stacks(result, what, known[tid]["stack"], shown[tid]["stack"])
        result.equal(what + ": gaps", [], shown[tid]["gaps"])
        if not known[tid]["spinning"]:
            result.equal(what + ": on CPU", False, shown[tid]["on_cpu"])
    for each in shown.values():
        result.holds("thread {}: at most one thread holds the interpreter lock".format(each["tid"]),
                     not each["holds_gil"] or sum(other["holds_gil"] for other in dump["threads"]) == 1, each["holds_gil"])


def _compare_loops(result, settled, truth, dump):
    shown = {each["id"]: each for each in dump["loops"]}
    known = {each["id"]: each for each in truth["loops"]}
    owning = {each["loop"] for each in truth["tasks"]} | {each["id"] for each in truth["loops"] if each["running"]}
    result.equal("loops that run or own tasks", sorted(owning), sorted(set(shown) & owning))
    result.equal("loops that do not exist", [], sorted(set(shown) - set(known)))
    for identity in sorted(set(known) & set(shown)):
        _compare_loop(result, settled, truth, dump, known[identity], shown[identity])


def _compare_loop(result, settled, truth, dump, known, shown):
    what = "loop {}".format(known["id"])
    result.equal(what + ": type", known["type"], shown["type"].rpartition(".")[2])
    thread = None if shown["thread"] is None else dump["threads"][shown["thread"]]
    result.equal(what + ": thread", known["thread"], thread and thread["namespace_tid"])
    result.equal(what + ": current task", known["current_task"], shown["current_task"])
    if known["ready"] is None:  # a loop whose insides Python can not see either
        result.equal(what + ": state", known["state"], shown["state"])
        result.equal(what + ": gaps", [], shown["gaps"])
        return
    result.equal(what + ": debug", known["debug"], shown["debug"])
    result.equal(what + ": ready handles", known["ready"], shown["ready"])
    result.equal(what + ": descriptors", known["descriptors"], sorted(shown["descriptors"]))
    result.equal(what + ": timers", known["timers"],
                 [{key: timer[key] for key in ("handle", "deadline", "cancelled")} for timer in shown["timers"]])
    result.equal(what + ": gaps", [], shown["gaps"])

    deadlines = [timer["deadline"] for timer in known["timers"] if not timer["cancelled"]]
    overdue = [deadline for deadline in deadlines if deadline < settled["monotonic"]]
    spins = known["state"] == "running" and overdue  # busy and provably late: may be called either
    result.holds(what + ": state, in truth {}".format(known["state"]),
                 shown["state"] == known["state"] or (spins and shown["state"] == "blocked"), shown["state"])
    may_be_late = known["ready"] or any(deadline < truth["monotonic"] for deadline in deadlines)
    if known["state"] == "idle" or not may_be_late:
        result.equal(what + ": late", None, shown["late"])
    elif overdue and known["state"] != "not_running":
        late = shown["late"] and shown["late"]["seconds"]
        least, most = settled["monotonic"] - min(overdue), truth["monotonic"] - min(overdue)
        result.holds(what + ": late by {:.3f} to {:.3f} s".format(least, most),
                     late is not None and least - 1e-6 <= late <= most + 1e-6, shown["late"])


def _compare_tasks(result, truth, dump):
    shown = {each["id"]: each for each in dump["tasks"]}
    known = {each["id"]: each for each in truth["tasks"]}
    result.equal("number of task entries", len(shown), len(dump["tasks"]))
    result.equal("tasks", sorted(known), sorted(shown))
    for identity in sorted(set(known) & set(shown)):
        _compare_task(result, dump, known[identity], shown[identity])


def _compare_task(result, dump, known, shown):
    what = "task {} {!r:.40}".format(known["id"], known["name"])
    fields = ["state", "running", "awaited", "must_cancel", "callbacks"]
    fields += [field for field in ("name", "cancel_requests") if known[field] is not None]
    for field in fields:
        result.equal("{}: {}".format(what, field), known[field], shown[field])
    result.equal(what + ": type", known["type"], shown["type"].rpartition(".")[2])
    result.equal(what + ": loop", known["loop"], None if shown["loop"] is None else dump["loops"][shown["loop"]]["id"])
    result.equal(what + ": gaps", [], shown["gaps"])
    _compare_stacks(result, what, known["stack"], shown["stack"])


def _compare_stacks(result, what, known, shown):
    """Links without a frame of their own may be left out, but what is shown must be there."""
    real = [link for link in known if link["kind"] != "opaque"]
    frames = [link for link in shown if link["kind"] != "opaque"]
    result.equal(what + ": length of the stack", [link["function"] for link in real], [link["function"] for link in frames])
    for depth, (truth, dump) in enumerate(zip(real, frames)):
        for field in ("kind", "function", "name", "file", "line", "object", "running"):
            result.equal("{}: frame {} ({}): {}".format(what, depth, truth["function"], field), truth[field], dump[field])
    opaque = {link["object"]: link["type"] for link in known if link["kind"] == "opaque"}
    for link in shown:
        if link["kind"] == "opaque":
            result.holds(what + ": link without a frame", link["object"] in opaque, link)
