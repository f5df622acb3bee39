"""Compares two JSON reports, as far as they can agree."""
import json
import re

# What only a live process has, or a kernel that was asked about it.
OF_THE_LIVE = {"process": ("state", "uptime_seconds", "resident_bytes", "other_root", "executable_deleted"),
               "capture": ("mode", "pause_seconds", "stops", "bytes_copied", "samples", "sampled_seconds", "monotonic_seconds"),
               "thread": ("name", "state", "cpu_seconds"),
               "descriptor": ("kind", "path", "protocol", "local", "peer", "tcp_state", "receive_queue", "send_queue")}


def without_clocks(report):
    """What a core and a live process have in common."""
    report = json.loads(json.dumps(report))
    report["captured_at"] = None
    for part in ("process", "capture"):
        for field in OF_THE_LIVE[part]:
            del report[part][field]
    for thread in report["threads"]:
        for field in OF_THE_LIVE["thread"]:
            del thread[field]
        if thread["system_call"]:
            thread["system_call"]["remaining_seconds"] = None
            thread["system_call"]["text"] = re.sub("(until|timeout|left) .*", "", thread["system_call"]["text"])
            for field in OF_THE_LIVE["descriptor"] if thread["system_call"]["descriptor"] else ():
                del thread["system_call"]["descriptor"][field]
    for loop in report["loops"]:
        loop["late"] = None
        for timer in loop["timers"]:
            timer["remaining_seconds"] = None
    for task in report["tasks"]:
        if task["wait"]["kind"] == "timer":
            task["wait"]["remaining_seconds"] = None
        if task["deadline"]:
            task["deadline"]["remaining_seconds"] = None
    for descriptor in report["descriptors"]:
        for field in OF_THE_LIVE["descriptor"]:
            del descriptor[field]
    report["children"] = []
    report["findings"] = []  # they speak of durations, and those of late loops need a clock
    return report


def differences(one, other, path=""):
    """Where two reports differ, one line each."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [line for key in one for line in differences(one[key], other[key], path + "/" + key)]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [line for place, pair in enumerate(zip(one, other)) for line in differences(*pair, "{}/{}".format(path, place))]
    return [] if one == other else ["{}: {!r:.200} and {!r:.200}".format(path, one, other)]
