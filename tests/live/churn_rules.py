"""What holds at every moment in the programs under churn/, held against a dump: each rule yields how many tasks were compared,
how many of those have gaps, and what is wrong with the others. A torn dump mixes two moments and breaks a rule."""
import os
import re
from collections import Counter, defaultdict

CHURN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "churn")
LINKS = {"l": ("left",), "r": ("right",), "g": ("through_loop", "produce"), "o": ("old_style",)}
TEXT = {name: open(os.path.join(CHURN, name + ".py")).read().splitlines() for name in ("chains", "gathers", "queues")}


class Verdict:
    def __init__(self):
        self.compared = 0
        self.gaps = 0
        self.faults = []

    def add(self, other):
        self.compared += other.compared
        self.gaps += other.gaps
        self.faults += other.faults


def line_text(program, frame):
    if not frame["file"].endswith(program + ".py") or not 0 < frame["line"] <= len(TEXT[program]):
        return ""
    return TEXT[program][frame["line"] - 1]


def has_gap(task):
    return bool(task["gaps"]) or task["state"] == "unknown" or task["wait"]["kind"] == "unknown"


def is_in_hand(task):
    """Its timer or step is in no list: the loop holds it in its hand, on the way from the heap to the ready queue, or taken
    from there to be executed."""
    return functions(task)[-1:] in (["sleep"], ["__sleep0"]) and task["wait"]["kind"] in ("future", "unknown") and not task["gaps"]


def judge(report, fault_of, tasks):
    """Each task by itself: running ones are in the middle of a change, and each loop may hold one of them in its hand."""
    verdict = Verdict()
    in_hand = [task for task in tasks if is_in_hand(task)]
    if len(in_hand) > len(report["loops"]):
        verdict.faults.append("the timers or steps of {} tasks in {} loops are in no list".format(len(in_hand), len(report["loops"])))
    for task in tasks:
        verdict.compared += 1
        fault = None if task["running"] else fault_of(task)
        if fault and has_gap(task):
            verdict.gaps += 1
        elif fault:
            verdict.faults.append("{}: {}: {} {}".format(task["name"], fault, [
                (frame["function"], frame["line"]) for frame in task["stack"]], task["wait"]))
    return verdict


def functions(task):
    return [frame["function"] for frame in task["stack"] if frame["function"]]


def sleeps(task):
    """In a sleep of its own that lasts, or is over."""
    return functions(task)[-1] == "sleep" and (task["wait"]["kind"] in ("timer", "ready") or is_in_hand(task))


# chains --------------------------------------------------------------------------------------------------------------


def chain_fault(task):
    named = re.fullmatch(r"w(\d+)\.(\d+)\.([lrgo]+)", task["name"])
    if not named:
        return "its name is none"
    path = named.group(3)
    expected = ["worker"] + [link for kind in path for link in LINKS[kind]] + ["sleep"]
    if functions(task) != expected:
        return "its chain should be {}".format(expected)
    links = [frame for frame in task["stack"] if frame["function"] not in ("worker", "through_loop", "sleep")]
    for depth, frame in enumerate(links):
        inner = "KINDS" in line_text("chains", frame)
        if frame["function"] != "left" and inner != (depth < len(links) - 1):
            return "link {} is on line {}".format(depth, frame["line"])
    return None if sleeps(task) else "it should be asleep"


def judge_chains(report, started):
    named = [task for task in report["tasks"] if task["name"].startswith("w")]
    verdict = judge(report, chain_fault, named)
    numbers = Counter(task["name"].split(".")[0] for task in named)
    lost = started["workers"] - len(numbers)
    verdict.compared += max(lost, 0)
    if max(numbers.values(), default=0) > 1 or lost:
        if report["gaps"]:
            verdict.gaps += lost
        else:
            verdict.faults.append("{} of {} workers, some {} times".format(len(numbers), started["workers"], max(numbers.values(), default=0)))
    awaited = Counter(task["awaited"] for task in named if task["awaited"] and not task["running"])
    verdict.faults += ["future {} is awaited {} times".format(*each) for each in awaited.items() if each[1] > 1]
    running = sum(task["running"] for task in report["tasks"])
    if running > len(report["loops"]):
        verdict.faults.append("{} tasks run in {} loops".format(running, len(report["loops"])))
    return verdict


# gathers ---------------------------------------------------------------------------------------------------------------

DEPTH, CHILDREN = 3, 3


def judge_gathers(report, started):
    trees = defaultdict(dict)  # generation -> place -> task
    for task in report["tasks"]:
        named = re.fullmatch(r"t(\d+)\.(\d+)\.(\d*)", task["name"])
        if named and task["state"] == "pending":
            trees[int(named.group(1)), int(named.group(2))][named.group(3)] = task
    generations = defaultdict(set)
    for (tree, generation), places in trees.items():
        generations[tree].add(generation)

    def fault_of(task):
        tree, generation, place = task["name"][1:].split(".")
        stack = functions(task)
        if len(place) == DEPTH:
            if stack == ["leaf"] and task["wait"]["kind"] == "ready":  # not started
                return None
            return None if stack == ["leaf", "sleep"] and sleeps(task) else "a leaf should sleep"
        if stack != ["node"]:
            return "a node is one function"
        if task["wait"]["kind"] == "ready":
            return None
        if task["wait"]["kind"] != "many":
            return "a node gathers"
        below = {other["id"] for name, other in trees[int(tree), int(generation)].items()
                 if len(name) == len(place) + 1 and name.startswith(place)}
        told = set(task["wait"]["tasks"])
        if (task["wait"]["total"], task["wait"]["pending"]) != (CHILDREN, len(told)):
            return "it gathers {} tasks".format(CHILDREN)
        return None if told == below else "its pending children are {}".format(sorted(below))

    verdict = judge(report, fault_of, [task for places in trees.values() for task in places.values()])
    if any(len(each) > 1 for each in generations.values()):
        verdict.faults.append("two generations of a tree at once: {}".format(dict(generations)))
    growers = {task["name"]: task for task in report["tasks"] if re.fullmatch(r"g\d+", task["name"])}
    verdict.compared += started["trees"]
    if len(growers) != started["trees"]:
        if report["gaps"]:
            verdict.gaps += started["trees"] - len(growers)
        else:
            verdict.faults.append("{} of {} growers".format(len(growers), started["trees"]))
    return verdict


# queues ----------------------------------------------------------------------------------------------------------------


def queue_fault(task):
    stack = functions(task)
    if stack[:1] != ["play"]:
        return "it plays"
    if stack[1:] == ["Queue.get"]:
        return None if task["wait"]["kind"] in ("primitive", "ready") else "it should wait for the queue"
    if stack[1:] in (["sleep"], ["sleep", "__sleep0"]):
        return None if task["wait"]["kind"] == "ready" or is_in_hand(task) else "it should be ready"
    return "it waits in Queue.get or sleep(0)"


def judge_queues(report, started):
    pairs = defaultdict(list)
    for task in report["tasks"]:
        if re.fullmatch(r"p\d+\.[ab]", task["name"]):
            pairs[task["name"].split(".")[0]].append(task)
    verdict = judge(report, queue_fault, [task for pair in pairs.values() for task in pair])
    for name, pair in pairs.items():
        waiting = [task for task in pair if task["wait"]["kind"] == "primitive"]
        if len(pair) != 2 or len(waiting) > 1:
            verdict.faults.append("{}: {} tasks of which {} wait for the token".format(name, len(pair), len(waiting)))
    if len(pairs) != started["pairs"] and not report["gaps"]:
        verdict.faults.append("{} of {} pairs".format(len(pairs), started["pairs"]))
    return verdict


RULES = {"chains": judge_chains, "gathers": judge_gathers, "queues": judge_queues}
