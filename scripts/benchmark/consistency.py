"""Whether a report on the churning target (target.py, churn) shows one moment: what the program can never be in is named."""
import json

# The coroutines below `churner`, by the line that it awaits them at: the stack of one moment is one of the two.
WAYS = (("left", "left_leaf", "sleep"), ("right", "right_leaf", "sleep"))


def complain_of_churn(path):
    with open(path) as file:
        report = json.load(file)
    complaints = ["gap: " + json.dumps(gap) for gap in report["gaps"]]
    lines = {}  # line of churner -> what it awaits there; two ways from one line are two moments
    for task in report["tasks"]:
        complaints += ["gap in {}: {}".format(task["name"], json.dumps(gap)) for gap in task["gaps"]]
        stack = task["stack"]
        names = tuple(frame["name"] for frame in stack)
        if names[:1] != ("churner",):
            continue
        rest = names[1:4]  # a task that runs, or is about to, may be between two of them
        if not any(rest == way[:len(rest)] for way in WAYS):
            complaints.append("{}: no such stack: {}".format(task["name"], " ".join(names)))
        elif rest:
            lines.setdefault(stack[0]["line"], set()).add(rest[0])
        if task["state"] != "pending":
            complaints.append("{}: is {}".format(task["name"], task["state"]))
        if len(names) < 4 and not task["running"] and task["wait"]["kind"] not in ("ready", "running"):
            complaints.append("{}: waits for {} with half a stack".format(task["name"], task["wait"]["kind"]))
    complaints += ["line {} awaits {}".format(line, " and ".join(sorted(ways))) for line, ways in lines.items() if len(ways) > 1]
    return complaints
