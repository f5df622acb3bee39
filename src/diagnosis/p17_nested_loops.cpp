#include <fmt/format.h>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

void find_nested_loops(const Case& seen, std::vector<Finding>& found) {
  const auto& loops = seen.report().loops;
  std::vector<std::size_t> on_thread(seen.report().threads.size(), 0);
  for (const Loop& loop : loops) {
    const bool runs = loop.thread >= 0 && static_cast<std::size_t>(loop.thread) < on_thread.size() && loop.state != LoopState::kNotRunning;
    if (runs) ++on_thread[static_cast<std::size_t>(loop.thread)];
  }
  for (std::size_t i = 0; i < on_thread.size(); ++i) {
    if (on_thread[i] < 2) continue;
    const Thread& thread = seen.report().threads[i];
    Finding finding;
    finding.confidence = Confidence::kObserved;
    finding.threads = {thread.tid};
    finding.sentence = fmt::format("{} runs {} inside each other: while the inner one runs, the outer one stands still", seen.name_of(thread),
                                   format_count(on_thread[i], "event loop"));
    for (std::size_t k = 0; k < loops.size(); ++k) {
      if (loops[k].thread == static_cast<std::int32_t>(i)) {
        finding.evidence.push_back(fmt::format("event loop {} ({}, {}) names this thread as its own (attributes of the loop)", k + 1, loops[k].type, format_address(loops[k].id)));
      }
    }
    for (const Task& task : seen.report().tasks) {
      const Loop* loop = seen.find_loop(task.loop);
      if (!task.running || loop == nullptr || loop->thread != static_cast<std::int32_t>(i)) continue;
      finding.tasks.push_back(task.id);
      if (!finding.culprit) finding.culprit = seen.culprit_of(task);
    }
    finding.fix = "await the coroutine in place of asyncio.run() or run_until_complete(); from synchronous code use a thread with a loop of its own";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kNestedLoops = {
    .id = "P17",
    .title = "A loop runs inside a running loop",
    .meaning = "A step of one event loop runs another one (new_event_loop().run_until_complete(), nest_asyncio): nothing of the outer loop "
               "goes on until the inner one returns.",
    .looks_at = "Several loops that name the same thread as the one that runs them. Observed.",
    .example = "def helper():                  # called from a coroutine\n    return other_loop.run_until_complete(fetch())",
    .remedy = "Make the helper `async def` and await it.",
    .find = find_nested_loops,
};

}  // namespace asyncspy
