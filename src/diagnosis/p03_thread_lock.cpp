#include <fmt/format.h>

#include <algorithm>

#include "deadlock_words.h"
#include "rules.h"
#include "step_words.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::string_view kFix =
    "await instead of blocking: asyncio.wrap_future(future), asyncio.Queue, asyncio.Lock, or await asyncio.to_thread(function, ...)";

void find_thread_deadlocks(const Case& seen, std::vector<Finding>& found) {
  for (const Deadlock& deadlock : seen.deadlocks()) {
    if (!deadlock.has_thread) continue;
    Finding finding = describe_deadlock(seen, deadlock);
    for (const BlockedStep& step : seen.blocked_steps()) {
      if (std::ranges::find(finding.threads, step.thread->tid) == finding.threads.end()) continue;
      if (step.own) finding.culprit = seen.culprit_at(step.stack[*step.own], name_call(seen.report(), step));
      if (const auto& late = seen.report().loops[step.loop].late) finding.at_least_seconds = late->seconds;
      if (step.task != nullptr && std::ranges::find(finding.tasks, step.task->id) == finding.tasks.end()) finding.tasks.push_back(step.task->id);
    }
    finding.fix = kFix;
    found.push_back(std::move(finding));
  }
}

// Other threads in whose result() this loop is needed: they may be the ones that keep the lock.
void note_suspects(const Case& seen, const BlockedStep& step, Finding& finding) {
  for (const Thread& other : seen.report().threads) {
    if (&other == step.thread || other.awaited_job.is_null()) continue;
    const Task* awaited = other.awaited_task.is_null() ? nullptr : seen.find_task(other.awaited_task);
    const std::int32_t loop = awaited != nullptr ? awaited->loop : other.awaited_loop;
    if (loop != static_cast<std::int32_t>(step.loop)) continue;
    finding.threads.push_back(other.tid);
    finding.evidence.push_back(fmt::format("{} waits in result() for this loop, at {}: if it keeps the lock, this is a deadlock (frames of the thread)",
                                           seen.name_of(other), seen.place_of(other)));
  }
}

std::string describe_job(const Case& seen, const Thread& thread) {
  const Job* job = seen.find_job(thread.awaited_job);
  if (const Task* task = thread.awaited_task.is_null() ? nullptr : seen.find_task(thread.awaited_task)) return "for " + seen.name_of(*task) + " of another loop";
  if (job == nullptr || job->function.empty()) return "for a future of another thread";
  const Thread* worker = seen.find_thread(job->thread);
  return fmt::format("for the call of {} in {}", job->function, worker == nullptr ? std::string("a thread") : seen.name_of(*worker));
}

void find_thread_locks(const Case& seen, std::vector<Finding>& found) {
  find_thread_deadlocks(seen, found);
  std::vector<int> explained;
  for (const Finding& finding : found) explained.insert(explained.end(), finding.threads.begin(), finding.threads.end());
  for (const BlockedStep& step : seen.blocked_steps()) {
    if (step.hold != Hold::kLock && step.hold != Hold::kResult) continue;
    if (std::ranges::find(explained, step.thread->tid) != explained.end()) continue;
    Finding finding = start_finding(seen, step);
    const std::string name = name_call(seen.report(), step);
    finding.sentence = open_sentence(seen, step);
    if (step.hold == Hold::kResult) {
      finding.sentence += " waits in result() " + describe_job(seen, *step.thread);
    } else {
      finding.sentence += name.empty() ? " waits for a lock of a thread" : " waits in " + name;
    }
    finding.sentence += close_sentence(seen, step);
    std::string evidence = fmt::format("{} sleeps in {}, which is not the GIL (registers of the thread)", seen.name_of(*step.thread),
                                       describe_system_call(*step.thread->system_call));
    if (const auto& left = step.thread->system_call->remaining_seconds) evidence += fmt::format(", {} more at most", format_duration(*left));
    finding.evidence.insert(finding.evidence.begin(), std::move(evidence));
    note_suspects(seen, step, finding);
    finding.fix = kFix;
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kThreadLock = {
    .id = "P03",
    .title = "Thread primitive on the loop's thread",
    .meaning = "A coroutine waits for a lock, queue or result of another thread without `await`: the whole loop waits with it. When the "
               "other thread needs this loop in turn, both wait for ever.",
    .looks_at = "The loop's thread sleeps on a futex that is not the interpreter lock's, in threading, queue or result() of a "
                "concurrent future. Observed. Proven where the circle is closed: what it waits for can only be done by its own loop, or by a "
                "thread that waits for this loop, and no wait in the circle has a timeout. Who owns a threading.Lock is not known.",
    .example = "async def handler():\n    asyncio.run_coroutine_threadsafe(work(), loop).result()     # on the loop's own thread",
    .remedy = "Await instead: `await work()`, asyncio.wrap_future(), asyncio.Queue and asyncio.Lock; or wait in a thread with to_thread.",
    .find = find_thread_locks,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
