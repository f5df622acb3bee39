"""What the benchmark must show, as ratios of one run."""
from dataclasses import dataclass

TEXT, JSON = "asyncspy dump", "asyncspy dump -f json"


@dataclass(frozen=True)
class Verdict:
    claim: str
    holds: object  # True, False, or None: not measured
    figures: str


def find(results, situation, count, python=None):
    return [each for each in results if each["situation"] == situation and each.get("count") == count
            and (python is None or each["python"] == python)]


def median_of(result, tool, name):
    for series in result["series"]:
        if series["tool"] == tool:
            return series["medians"][name]
    return None


def _unmeasured(claim, why="not measured in this run"):
    return Verdict(claim, None, why)


def _pause_against_blocking(results):
    claim = "pause at 10,000 tasks at least 20 times shorter than 3.15's blocking dump"
    for result in find(results, "idle", 10_000, "3.15"):
        own, peer = median_of(result, TEXT, "felt_pause"), median_of(result, "3.15 sampling dump --blocking", "felt_pause")
        if own and peer:
            return Verdict(claim, peer >= 20 * own, "{:.1f} times: {:.2f} ms, {:.1f} ms".format(peer / own, own * 1e3, peer * 1e3))
    return _unmeasured(claim)


def _pause_against_copy(results):
    claim = "pause at 100,000 tasks at most 2.5 times a plain bulk copy of as many bytes"
    found = [(median_of(result, TEXT, "felt_pause"), result["bulk_copy"], result) for result in find(results, "idle", 100_000)]
    found = [each for each in found if each[0] and each[1]]
    if not found:
        return _unmeasured(claim)
    own, copy, result = max(found, key=lambda each: each[0] / each[1])
    return Verdict(claim, own <= 2.5 * copy, "{:.2f} times: {:.1f} ms, {:.1f} ms for {:.0f} MB ({})".format(
        own / copy, own * 1e3, copy * 1e3, result["capture"]["bytes_copied"] / 1e6, result["python"]))


def _short_stops(results):
    claim = "the process feels no stop longer than --max-pause, give or take what it feels without any"
    found = [each for each in results if each.get("short_stops")]
    if not found:
        return _unmeasured(claim)
    worst = max(found, key=lambda each: max(each["short_stops"]["felt"]))
    felt, allowed = sorted(worst["short_stops"]["felt"]), worst["short_stops"]["allowed"]
    return Verdict(claim, felt[len(felt) // 2] <= allowed + worst["still"], "{:.1f} ms of {:.0f} ms, at most {:.1f} ms, {:.1f} ms without ({:,} tasks on {})".format(
        felt[len(felt) // 2] * 1e3, allowed * 1e3, felt[-1] * 1e3, worst["still"] * 1e3, worst["count"], worst["python"]))


def _native(results):
    claim = "native frames add less than 1 ms of pause for each thread"
    found = [each for each in results if each["situation"] == "native"]
    if not found:
        return _unmeasured(claim)
    worst = max(found, key=lambda each: each["native"] - each["plain"])
    each_thread = (worst["native"] - worst["plain"]) / worst["count"]
    return Verdict(claim, each_thread < 0.001, "{:.3f} ms for each of {} threads: {:.2f} ms, {:.2f} ms without ({})".format(
        each_thread * 1e3, worst["count"], worst["native"] * 1e3, worst["plain"] * 1e3, worst["python"]))


def _wall_against_stdlib(results):
    claim = "wall time at 10,000 tasks at least 8 times shorter than the standard library's best"
    ratios = []
    for result in find(results, "idle", 10_000):
        own = median_of(result, TEXT, "wall")
        for series in result["series"]:
            if series["tool"].startswith("3.") and series["medians"]["wall"] and own:
                cpu = series["medians"]["cpu"] / median_of(result, TEXT, "cpu")
                ratios.append((series["medians"]["wall"] / own, series["tool"], own, series["medians"]["wall"], cpu))
    if not ratios:
        return _unmeasured(claim)
    ratio, tool, own, peer, cpu = min(ratios)
    return Verdict(claim, ratio >= 8, "{:.1f} times: {:.0f} ms, {:.0f} ms ({}; CPU: {:.1f} times)".format(
        ratio, own * 1e3, peer * 1e3, tool, cpu))


def _wall_against_austin(results):
    claim = "wall time at 100 tasks below 3 times `austin -w`"
    for result in find(results, "idle", 100, "3.13"):
        own, peer = median_of(result, TEXT, "wall"), median_of(result, "austin -w", "wall")
        if own and peer:
            return Verdict(claim, own < 3 * peer, "{:.2f} times: {:.1f} ms, {:.1f} ms".format(own / peer, own * 1e3, peer * 1e3))
    return _unmeasured(claim)


def _cost_per_task(results):
    claim = "cost per task at 1,000,000 at most 1.5 times that at 10,000"
    for large in find(results, "idle", 1_000_000):
        for small in find(results, "idle", 10_000, large["python"]):
            walls = [median_of(each, TEXT, "wall") for each in (large, small)]
            cpus = [median_of(each, TEXT, "cpu") for each in (large, small)]
            if all(walls):
                ratio = walls[0] / 100 / walls[1]
                return Verdict(claim, ratio <= 1.5, "{:.2f} times: {:.2f} us, {:.2f} us (CPU: {:.2f} times)".format(
                    ratio, walls[0], walls[1] * 100, cpus[0] / 100 / cpus[1]))
    return _unmeasured(claim)


def _complete(results):
    claim = "100,000 and 1,000,000 tasks complete, without gaps"
    found = [each for each in results if each["situation"] == "idle" and each["count"] >= 100_000]
    if not found:
        return _unmeasured(claim)
    bad = [each for each in found if each["capture"] is None or each["capture"]["gaps"] or any(
        series["failures"] for series in each["series"] if series["tool"] in (TEXT, JSON))]
    return Verdict(claim, not bad, ", ".join("{:,} on {}".format(each["count"], each["python"]) for each in bad or found))


def _memory(results):
    claim = "peak memory at most 3 times the bytes copied, from 10,000 tasks on"
    found = []
    for result in results:
        if result["situation"] != "idle" or result["count"] < 10_000 or not result["capture"]:
            continue
        for tool in (TEXT, JSON):
            peak = median_of(result, tool, "peak_bytes")
            if peak:
                found.append((peak / result["capture"]["bytes_copied"], result, tool, peak))
    if not found:
        return _unmeasured(claim)
    ratio, result, tool, peak = max(found, key=lambda each: each[0])
    return Verdict(claim, ratio <= 3, "at worst {:.2f} times: {:.0f} MB for {:.0f} MB ({}, {:,} tasks on {})".format(
        ratio, peak / 1e6, result["capture"]["bytes_copied"] / 1e6, tool, result["count"], result["python"]))


def _churn(results):
    claim = "churn of 5,000 tasks: every dump consistent"
    found = [each for each in results if each["situation"] == "churn" and each["count"] == 5000]
    if not found:
        return _unmeasured(claim)
    own = [(each["tools"][JSON], each["python"]) for each in found]
    return Verdict(claim, all(tool["good"] == tool["tried"] > 0 for tool, _ in own), ", ".join(
        "{} of {} on {}{}".format(tool["good"], tool["tried"], python, "".join(" ({})".format(text) for text in (
            tool["failures"] + tool["complaints"])[:1])) for tool, python in own))


def _service(results):
    found = [each for each in results if each["situation"] == "http"]
    claims = ("a web service under load that is dumped once a second loses less than 1 % of its throughput",
              "and its p99 grows by less than the pause and the noise")
    if not found:
        return [_unmeasured(claim) for claim in claims]
    loss, tail = found[0]["loss"], found[0]["tail"]
    exits = loss["exits"] + tail["exits"]
    grown, room = tail["p99_dumped"] - tail["p99_alone"], tail["pause"] + tail["p99_noise"]
    return [Verdict(claims[0], loss["loss"] + loss["error"] < 0.01, "{:.2%} +- {:.2%} of {:.0f}/s in {} turns of {} s (those without a dump vary by {:.1%}); {} of {} dumps failed".format(
        loss["loss"], loss["error"], loss["rate"], len(loss["alone"] + loss["dumped"]), loss["turn"], loss["rate_noise"], sum(each not in (0, 1) for each in exits), len(exits))),
            Verdict(claims[1], grown < room, "{:+.2f} ms on {:.2f} ms; pause {:.2f} ms, noise {:.2f} ms".format(
                grown * 1e3, tail["p99_alone"] * 1e3, tail["pause"] * 1e3, tail["p99_noise"] * 1e3))]


def _top(results):
    found = [each for each in results if each["situation"] == "top"]
    claims = ("a web service under load that is watched with asyncspy top loses less than 1 % of its throughput",
              "asyncspy top takes less than 5 % of a core on 10,000 tasks, and its memory stays flat over five minutes")
    if not found:
        return [_unmeasured(claim) for claim in claims]
    loss, flat = found[0]["loss"], found[0]["flat"]
    first = _unmeasured(claims[0])
    if loss:
        first = Verdict(claims[0], loss["loss"] < 0.01, "{:.2%} of {:.0f}/s (the rate alone varies by {:.1%}); it took {:.1%} of a core".format(
            loss["loss"], loss["rate"], loss["rate_noise"], loss["cpu_under_load"]))
    cpu, growth = sum(flat["cpu"]) / len(flat["cpu"]), flat["memory"][-1] / flat["memory"][0] - 1
    return [first, Verdict(claims[1], cpu < 0.05 and growth < 0.05, "{:.1%} of a core; {:.1f} MB at first, {:.1f} MB {:.0f} s later".format(
        cpu, flat["memory"][0] / 1e6, flat["memory"][-1] / 1e6, flat["part"] * (len(flat["memory"]) - 1)))]


def _watch(results):
    found = [each for each in results if each["situation"] == "watch"]
    claims = ("a web service under load at which asyncspy watch looks twenty times a second loses less than 0.5 % of its throughput",
              "and asyncspy watch takes less than 1 % of a core for it",
              "its memory stays flat over a million samples",
              "with 100 targets it takes less than 1 % of a core for each, and its memory is bounded")
    if not found:
        return [_unmeasured(claim) for claim in claims]
    loss, idle, flat, many = (found[0][name] for name in ("loss", "idle", "flat", "many"))
    verdicts = [_unmeasured(claims[0]), Verdict(claims[1], idle["cpu"] < 0.01, "{:.2%} on {:,} idle tasks".format(idle["cpu"], idle["tasks"]))]
    if loss:
        verdicts = [Verdict(claims[0], loss["loss"] + loss["error"] < 0.005, "{:.2%} +- {:.2%} of {:.0f}/s in {} turns of {} s with {:.1f} looks a second (turns without alone vary by {:.1%})".format(
            loss["loss"], loss["error"], loss["rate"], len(loss["alone"] + loss["watched"]), loss["turn"], loss["looks"], loss["rate_noise"])),
                    Verdict(claims[1], max(loss["cpu"], idle["cpu"]) < 0.01, "{:.2%}; {:.2%} on {:,} idle tasks".format(loss["cpu"], idle["cpu"], idle["tasks"]))]
    one, hundred = many["counts"]
    each = hundred["cpu"] / hundred["targets"]
    return verdicts + [
        Verdict(claims[2], flat["samples"] >= 1_000_000 and flat["last"] < 1.05 * flat["first"], "{:.1f} MB at first, {:.1f} MB {:,.0f} samples later, {:.1f} MB at most".format(
            flat["first"] / 1e6, flat["last"] / 1e6, flat["samples"], flat["largest"] / 1e6)),
        Verdict(claims[3], each < 0.01 and hundred["last"] < 1.05 * hundred["first"], "{:.1%} of a core, {:.0f} looks a second; {:.1f} MB at first, {:.1f} MB {} s later ({:.1%}, {:.1f} MB with one)".format(
            hundred["cpu"], hundred["looks"], hundred["first"] / 1e6, hundred["last"] / 1e6, many["seconds"], one["cpu"], one["last"] / 1e6))]


def all_verdicts(results):
    return [rule(results) for rule in (_pause_against_blocking, _pause_against_copy, _short_stops, _native, _wall_against_stdlib, _wall_against_austin,
                                       _complete, _cost_per_task, _memory, _churn)] + _service(results) + _top(results) + _watch(results)
