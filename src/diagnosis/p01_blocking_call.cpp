#include <fmt/format.h>

#include <algorithm>

#include "remedies.h"
#include "rules.h"
#include "step_words.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr double kLongSleep = 0.1;  // seconds; what remains of it
constexpr double kLate = 0.1;

// The system call is the selector of a loop that runs inside of this one: P17 says so.
bool runs_inner_loop(const Case& seen, const BlockedStep& step) {
  const auto& loops = seen.report().loops;
  return std::ranges::any_of(loops, [&](const Loop& loop) { return loop.state == LoopState::kIdle && loop.thread == loops[step.loop].thread; });
}

void find_blocking_calls(const Case& seen, std::vector<Finding>& found) {
  for (const BlockedStep& step : seen.blocked_steps()) {
    if (step.hold != Hold::kSystemCall || runs_inner_loop(seen, step)) continue;
    const SystemCallReport& call = *step.thread->system_call;
    const Loop& loop = seen.report().loops[step.loop];
    Finding finding = start_finding(seen, step);
    // One look can not tell a call that returns at once from one that never does; a late loop or a sleep that goes on can.
    const bool is_long = (loop.late && loop.late->seconds >= kLate) || call.remaining_seconds.value_or(0) >= kLongSleep;
    if (!is_long) finding.severity = Severity::kWarning;
    const std::string name = name_call(seen.report(), step);
    finding.sentence = open_sentence(seen, step);
    if (!name.empty()) finding.sentence += fmt::format(" calls {}, which", name);
    finding.sentence += fmt::format(" waits in {}{}", describe_system_call(call), close_sentence(seen, step));
    std::string evidence = fmt::format("{} sleeps in {} (state and registers of the thread)", seen.name_of(*step.thread), describe_system_call(call));
    if (call.remaining_seconds) evidence += fmt::format(", {} more", format_duration(*call.remaining_seconds));
    finding.evidence.insert(finding.evidence.begin(), std::move(evidence));
    finding.fix = find_remedy(seen.report(), step);
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kBlockingCall = {
    .id = "P01",
    .title = "Blocking call on the loop's thread",
    .meaning = "A coroutine or callback called something that waits without `await`: the thread of the event loop sleeps in a "
               "system call. Until it returns nothing else of this loop runs: no request is answered, no timeout fires.",
    .looks_at = "The thread that runs the loop executes a step and sleeps in a system call other than the loop's own selector; its "
                "frames name the call, its registers the system call with the descriptor, peer or sleep. Observed. An error when "
                "the loop is late (a timer is overdue) or the sleep goes on; else a warning, as the call may return at once.",
    .example = "async def rate(request):\n    return requests.get(url).json()      # waits for the answer on the loop's thread",
    .remedy = "Use the asynchronous counterpart (asyncio.sleep, aiohttp, asyncpg, redis.asyncio, create_subprocess_exec), or move the "
              "call to a thread: await asyncio.to_thread(function, ...).",
    .find = find_blocking_calls,
    .passing = Passing::kWarnings,
};

}  // namespace asyncspy
