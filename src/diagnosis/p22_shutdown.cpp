#include <fmt/format.h>

#include <algorithm>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostShown = 8;

struct Phase {
  std::string_view file;
  std::string_view function;
  std::string_view words;
  bool threads;  // it waits for threads of a pool
};

// Lib/asyncio/runners.py, Lib/asyncio/base_events.py, Lib/concurrent/futures/thread.py.
constexpr Phase kPhases[] = {
    {"asyncio/runners.py", "_cancel_all_tasks", "asyncio.run() has cancelled all tasks and waits for them to end", false},
    {"asyncio/base_events.py", "shutdown_default_executor", "the loop closes and waits for the calls in its thread pool", true},
    {"asyncio/base_events.py", "_do_shutdown", "the loop closes and waits for the calls in its thread pool", true},
    {"asyncio/base_events.py", "shutdown_asyncgens", "the loop closes and waits for asynchronous generators to end", false},
    {"concurrent/futures/thread.py", "_python_exit", "Python exits and waits for the calls in thread pools", true},
};

// Many tasks have few functions: their files are compared once.
class PhaseSearch {
 public:
  explicit PhaseSearch(const Case& seen) : seen_(seen) {
    for (const Function& function : seen.report().functions) {
      in_its_file_.push_back(std::ranges::any_of(kPhases, [&](const Phase& phase) { return function.file.ends_with(phase.file); }));
    }
  }

  [[nodiscard]] const Phase* find(const std::vector<Frame>& stack) const {
    for (const Frame& frame : stack) {
      if (frame.function >= in_its_file_.size() || !in_its_file_[frame.function]) continue;
      for (const Phase& phase : kPhases) {
        const std::string_view name = seen_.name_of(frame);
        if (seen_.file_of(frame).ends_with(phase.file) && (name == phase.function || name.ends_with("." + std::string(phase.function)))) return &phase;
      }
    }
    return nullptr;
  }

 private:
  const Case& seen_;
  std::vector<bool> in_its_file_;  // of each function
};

void name_tasks(const Case& seen, const PhaseSearch& phases, Finding& finding) {
  for (const Task& task : seen.report().tasks) {
    const bool waits = task.state == TaskState::kPending && !std::holds_alternative<Ready>(task.wait) && phases.find(task.stack) == nullptr;
    if (!waits) continue;
    finding.tasks.push_back(task.id);
    if (!finding.culprit) finding.culprit = seen.culprit_of(task);
    if (finding.tasks.size() <= kMostShown) finding.evidence.push_back(fmt::format("{} is still pending, at {} (await chain of the task)", seen.name_of(task), seen.place_of(task)));
  }
  if (!finding.tasks.empty()) finding.sentence += ": " + seen.list_tasks(finding.tasks);
}

void name_workers(const Case& seen, Finding& finding) {
  std::size_t workers = 0;
  for (const Thread& thread : seen.report().threads) {
    const bool works = std::ranges::any_of(thread.stack, [&](const Frame& frame) {
      return seen.file_of(frame).ends_with("concurrent/futures/thread.py") && seen.name_of(frame).ends_with("run");
    });
    if (!works) continue;
    if (++workers > kMostShown) continue;
    finding.threads.push_back(thread.tid);
    if (workers == 1) finding.sentence += fmt::format(": {} is at {}", seen.name_of(thread), seen.place_of(thread));
    finding.evidence.push_back(fmt::format("{} is at {} (frames of the worker)", seen.name_of(thread), seen.place_of(thread)));
  }
}

void find_shutdown(const Case& seen, std::vector<Finding>& found) {
  const PhaseSearch phases(seen);
  const Phase* phase = nullptr;
  std::string where;
  for (const Thread& thread : seen.report().threads) {
    if (phase != nullptr) break;
    phase = phases.find(thread.stack);
    if (phase != nullptr) where = fmt::format("{} is inside {}() (frames of the thread)", seen.name_of(thread), phase->function);
  }
  for (const Task& task : seen.report().tasks) {
    if (task.state != TaskState::kPending) continue;
    const Phase* of_task = phases.find(task.stack);
    if (of_task == nullptr || (phase != nullptr && !of_task->threads)) continue;
    phase = of_task;
    where = fmt::format("{} is inside {}() (frames of the task)", seen.name_of(task), phase->function);
  }
  if (phase == nullptr) return;
  Finding finding;
  finding.confidence = Confidence::kObserved;
  finding.sentence = fmt::format("Shutdown hangs: {}", phase->words);
  finding.evidence.push_back(where);
  if (phase->threads) {
    name_workers(seen, finding);
    finding.fix = "give calls in threads a timeout, or a way to be told to stop; a thread can not be cancelled";
  } else {
    name_tasks(seen, phases, finding);
    finding.fix = "let these tasks end when they are cancelled: raise CancelledError again, and keep `finally` short";
  }
  if (finding.tasks.empty() && finding.threads.empty()) return;  // what is waited for has ended: the phase is about to be left
  found.push_back(std::move(finding));
}

}  // namespace

constexpr Rule kShutdown = {
    .id = "P22",
    .title = "Shutdown hangs",
    .meaning = "The program wants to end and can not: asyncio.run() waits for a task that ignores its cancellation, for calls in the thread "
               "pool, or for asynchronous generators.",
    .looks_at = "The function of the runner, of the loop or of the pool that is executing or suspended, and the tasks or workers that are left. "
                "Observed: a shutdown that is merely going on looks the same for a moment.",
    .example = "async def worker():\n    while True:\n        try: await job()\n        except BaseException: pass      # also when asyncio.run() cancels it",
    .remedy = "Raise CancelledError again; bound clean-up and calls in threads with timeouts.",
    .find = find_shutdown,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
