"""Holds the incidents that `asyncspy watch` wrote against a service's own account of its stalls.

What must be: a stall that is longer than the threshold by more than one sampling interval is one incident, with the function that
stalled; one that is shorter than the threshold is none. Both clocks are on one machine, but five things stand between what the service
measured and what can be seen from outside, and each has a bound here; a stall in between is not judged, and is counted:

- the looks come at intervals, and take time;
- asyncspy waits for a processor: `waited`, by the kernel's account of its threads;
- asyncspy itself stops the process, for the snapshot of an earlier stall: that time is not the stall's for asyncspy, but it is for the
  service. Each report says when that was and for how long;
- the hypervisor takes the processors away, which is no waiting in the kernel's account: timers are late all the same. `stolen` says how
  much that was, of all processors, and so says little of the one that asyncspy needed: it only excuses a stall that was not seen;
- the clocks' roundings.
"""
import datetime
from dataclasses import dataclass, field

# A look takes time itself, and the timer that calls for it is no more exact than the kernel's: seconds from the moment at which a
# look is due to the one at which it has seen the loop.
LOOK_SECONDS = 0.003
# Incidents say to a millisecond when they were, and the samples that they rest on were taken a moment before.
CLOCK_SECONDS = 0.005
CALLER = "stalled"  # of the functions that stall


@dataclass
class Judgement:
    must: int = 0       # stalls that had to be incidents
    must_not: int = 0   # stalls that had not to
    between: int = 0    # could be either
    waited: int = 0     # long enough, but asyncspy did not get the processor for so long that it could not see that
    stopped: int = 0    # long enough, but not without the time for which asyncspy had stopped the process
    stolen: int = 0     # not seen, and the hypervisor had the processors for so long that this may be why
    unowned: int = 0    # incidents of a time in which the loop stood still for another reason, by the service's own account
    incidents: int = 0
    faults: list = field(default_factory=list)

    def __str__(self):
        return ("{} incidents; stalls: {} above, {} below, {} between, {} not to be seen, {} stopped, {} not seen for stolen time; "
                "{} other gaps; {} faults").format(self.incidents, self.must, self.must_not, self.between, self.waited, self.stopped,
                                                   self.stolen, self.unowned, len(self.faults))


@dataclass(frozen=True)
class Seen:
    """One incident: a time in which the loop is said to have been in one step."""
    begin: float  # seconds of the wall clock
    end: float
    culprit: str
    in_task: bool
    id: str
    stopped_at: float = 0.0  # of its snapshot: the moment of the last stop, seconds of the service's CLOCK_MONOTONIC
    pause: float = 0.0       # of its snapshot: seconds, of all stops
    stops: int = 0


def seconds_of(text):
    """ISO time in UTC."""
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def seen(report):
    incident, capture = report["incident"], report["capture"]
    end = seconds_of(incident["detected"])
    culprit = incident["culprit"] or {}
    return Seen(end - incident["seconds"], end, culprit.get("function"), incident["task"] is not None, incident["id"],
                capture["monotonic_seconds"], capture["pause_seconds"], capture["stops"])


def at_most(stall, following):
    """How long the step can have been: until the next one that is known, or until something else ran."""
    after = min(stall["after"], following["before"]) if following and following["before"] >= stall["end"] else stall["after"]
    return after - stall["before"]


def holds(stall, incident):
    return stall["wall_begin"] - CLOCK_SECONDS <= incident.begin and incident.end <= stall["wall_end"] + CLOCK_SECONDS


def stood_still(stall, incidents):
    """Seconds of a stall for which asyncspy may have stopped the process. Of several stops of one snapshot only the last one's moment is
    known: the others came between the incident and that."""
    seconds = 0.0
    for incident in incidents:
        first = incident.stopped_at if incident.stops < 2 else incident.end - stall["wall_begin"] + stall["begin"]
        if stall["begin"] <= incident.stopped_at and first <= stall["end"]:
            seconds += incident.pause
    return min(seconds, stall["end"] - stall["begin"])


def judge(stalls, gaps, incidents, threshold, interval):
    result = Judgement(incidents=len(incidents))
    of_stall = {place: [] for place in range(len(stalls))}
    for incident in incidents:
        places = [place for place, stall in enumerate(stalls) if holds(stall, incident)]
        if places:
            # Of two that follow each other closely: the one that the incident is in the middle of.
            middle = (incident.begin + incident.end) / 2
            of_stall[min(places, key=lambda place: abs((stalls[place]["wall_begin"] + stalls[place]["wall_end"]) / 2 - middle))].append(incident)
        elif any(begin - CLOCK_SECONDS <= incident.begin and incident.end <= end + CLOCK_SECONDS for begin, end in gaps) and not any(
                stall["wall_begin"] < incident.end and incident.begin < stall["wall_end"] for stall in stalls):
            result.unowned += 1
        else:
            near = [stall for stall in stalls if stall["wall_begin"] - 1 < incident.end and incident.begin < stall["wall_end"] + 1]
            result.faults.append("{}: in no single stall: {}".format(incident, near))
    for place, stall in enumerate(stalls):
        # The snapshot of a stall's own incident comes when that was seen.
        stood = stood_still(stall, [each for each in incidents if each not in of_stall[place]])
        longest = at_most(stall, stalls[place + 1] if place + 1 < len(stalls) else None)
        judge_one(result, stall, of_stall[place], longest, stood, threshold, interval)
    return result


def judge_one(result, stall, incidents, longest, stood, threshold, interval):
    length = stall["end"] - stall["begin"]
    limit = threshold + interval + LOOK_SECONDS
    told = "{kind} {way} at {begin:.3f} for {0:.1f} ms ({1:.1f} ms at most, {2:.1f} waited, {3:.1f} stopped, {4:.0f} stolen)".format(
        length * 1e3, longest * 1e3, stall["waited"] * 1e3, stood * 1e3, stall["stolen"] * 1e3, **stall)
    if longest < threshold:
        result.must_not += 1
        if incidents:
            result.faults.append("{}: is too short for {}".format(told, incidents))
    elif length <= limit:
        result.between += 1
    elif length <= limit + stall["waited"]:
        result.waited += 1
    elif length <= limit + stall["waited"] + stood:
        result.stopped += 1
    elif not incidents and length <= limit + stall["waited"] + stood + stall["stolen"]:
        result.stolen += 1
    else:
        result.must += 1
        if not incidents:
            result.faults.append("{}: no incident".format(told))
    if len(incidents) > 1:
        result.faults.append("{}: {} incidents: {}".format(told, len(incidents), incidents))
    if length <= threshold:
        return  # what followed in the same step may have been seen instead
    for incident in incidents:
        # Another thread can get the interpreter lock, or another process the processor, when the function is over and the step is not.
        is_over = incident.culprit == CALLER and incident.end >= stall["wall_begin"] + stall["returned"] - stall["begin"]
        if not (incident.culprit == stall["kind"] or is_over) or incident.in_task != stall["way"].endswith("_task"):
            result.faults.append("{}: wrong culprit: {}".format(told, incident))
