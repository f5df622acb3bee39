#include <fmt/format.h>

#include "rules.h"
#include "step_words.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr double kLong = 1;  // seconds; a busy machine alone makes a loop late by less

void find_processor_use(const Case& seen, std::vector<Finding>& found) {
  for (const BlockedStep& step : seen.blocked_steps()) {
    if (step.hold != Hold::kProcessor) continue;
    const Loop& loop = seen.report().loops[step.loop];
    Finding finding = start_finding(seen, step);
    const bool is_long = loop.late && loop.late->seconds >= kLong;
    finding.severity = is_long ? Severity::kError : Severity::kInfo;
    const std::string name = name_call(seen.report(), step);
    finding.sentence = fmt::format("{} computes{}{}", open_sentence(seen, step), name.empty() ? "" : " in " + name, close_sentence(seen, step));
    std::string evidence = fmt::format("{} is on the processor in a step of the loop (state of the thread)", seen.name_of(*step.thread));
    if (step.thread->holds_gil) evidence += "; it holds the GIL";
    if (step.thread->cpu_seconds > 0) evidence += fmt::format("; it has used {} of CPU time in all", format_duration(step.thread->cpu_seconds));
    finding.evidence.insert(finding.evidence.begin(), std::move(evidence));
    finding.fix = "move the computation to a process (loop.run_in_executor(ProcessPoolExecutor(), ...)) or, if it releases the GIL, to a "
                  "thread (await asyncio.to_thread(...)); or let the loop run in between: await asyncio.sleep(0)";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kProcessorUse = {
    .id = "P02",
    .title = "CPU-bound work on the loop's thread",
    .meaning = "A step of a task computes for long: a loop over much data, a regular expression that backtracks, parsing, hashing. "
               "Until it reaches its next `await` nothing else of this loop runs.",
    .looks_at = "The loop's thread is on the processor inside a step, and a timer of the loop is overdue, which bounds from below how "
                "long no other step has begun. Observed; an error from one second on, below that a note. A loop without overdue "
                "timers can not be told from one that has just begun its step: then there is no finding.",
    .example = "async def report(request):\n    return render(sorted(million_rows))    # seconds without an await",
    .remedy = "Use loop.run_in_executor() with a ProcessPoolExecutor, or await asyncio.to_thread() where the GIL is released; or split "
              "the work and await asyncio.sleep(0) in between.",
    .find = find_processor_use,
};

}  // namespace asyncspy
