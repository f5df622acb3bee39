#include <fmt/format.h>

#include <algorithm>

#include "rules.h"
#include "step_words.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr double kLong = 1;  // seconds; a busy machine alone makes a loop late by less

// The thread that keeps the interpreter lock from the loop's, if it was seen.
void blame_holder(const Case& seen, const Thread& waiting, Finding& finding) {
  const auto& threads = seen.report().threads;
  const auto holder = std::ranges::find_if(threads, [&](const Thread& each) { return each.holds_gil && each.interpreter == waiting.interpreter; });
  if (holder == threads.end()) return;
  finding.threads.push_back(holder->tid);
  finding.sentence += fmt::format(", which {} holds in {}", seen.name_of(*holder), seen.place_of(*holder));
  finding.evidence.push_back(fmt::format("{} holds the GIL (state of the interpreter) in {}", seen.name_of(*holder), seen.place_of(*holder)));
}

// What holds up the loops that have a finding of another rule is said there.
bool is_explained(const Case& seen, std::size_t loop) {
  return std::ranges::any_of(seen.blocked_steps(), [loop](const BlockedStep& step) { return step.loop == loop && step.hold != Hold::kInterpreterLock; });
}

void find_late_loops(const Case& seen, std::vector<Finding>& found) {
  for (std::size_t i = 0; i < seen.report().loops.size(); ++i) {
    const Loop& loop = seen.report().loops[i];
    const Thread* thread = seen.find_thread(loop.thread);
    if (thread == nullptr || !loop.late || loop.state != LoopState::kBlocked || is_explained(seen, i)) continue;
    Finding finding;
    finding.severity = loop.late->seconds >= kLong ? Severity::kWarning : Severity::kInfo;
    finding.confidence = Confidence::kProven;
    finding.at_least_seconds = loop.late->seconds;
    finding.threads = {thread->tid};
    finding.sentence = fmt::format("The event loop is late by at least {}", format_duration(loop.late->seconds));
    finding.evidence.push_back(fmt::format("{}, {} ago (timers of the loop)", loop.late->evidence, format_duration(loop.late->seconds)));
    if (thread->waits_for_gil) {
      finding.sentence += ": its thread waits for the GIL";
      finding.evidence.push_back(fmt::format("{} waits for the GIL (its futex is the interpreter lock's)", seen.name_of(*thread)));
      blame_holder(seen, *thread, finding);
      finding.fix = "move the work of the other thread to a process, or let it release the GIL now and then";
    } else {
      finding.sentence += fmt::format("; its thread is {}", describe_state(thread->state));
      if (thread->state == 'T') finding.fix = "the process was stopped by a signal: kill -CONT lets it go on";
    }
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kLateLoop = {
    .id = "P21",
    .title = "Slow callbacks, loop lag",
    .meaning = "The loop does not come to run what is due: its steps take too long, or its thread does not get the interpreter lock or "
               "the processor.",
    .looks_at = "A timer whose moment has passed and that has not been run proves a lower bound of the delay from one look. Where P01, P02 "
                "or P03 say what the thread does instead, they stand in place of this rule; it remains for threads that wait for the GIL.",
    .example = "threading.Thread(target=compute)       # pure Python beside the loop: both want the GIL",
    .remedy = "Find out who holds the GIL or fills the ready queue; move computation to processes; see also asyncio's slow_callback_duration.",
    .find = find_late_loops,
};

}  // namespace asyncspy
