#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "own_code.h"
#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostWorkersShown = 8;

struct Executor {
  const Job* any = nullptr;
  std::vector<const Job*> running;
  std::vector<Address> waiting_tasks;  // for queued jobs
};

// Calls in threads that the task waits for, alone or with others.
std::vector<Address> list_jobs(const Task& task) {
  if (const auto* wait = std::get_if<OnJob>(&task.wait)) return {wait->job};
  const auto* many = std::get_if<OnMany>(&task.wait);
  return many == nullptr ? std::vector<Address>() : many->jobs;
}

std::map<Address, Executor> gather_executors(const Case& seen) {
  std::map<Address, Executor> executors;
  for (const Job& job : seen.report().jobs) {
    if (job.executor.is_null() || !job.workers || !job.busy) continue;
    Executor& executor = executors[job.executor];
    executor.any = &job;
    if (job.state == JobState::kRunning && job.thread >= 0) executor.running.push_back(&job);
  }
  for (const Task& task : seen.report().tasks) {
    if (seen.is_held_up(task)) continue;
    for (Address id : list_jobs(task)) {
      const Job* job = seen.find_job(id);
      const auto found = job == nullptr || job->state != JobState::kQueued ? executors.end() : executors.find(job->executor);
      if (found == executors.end()) continue;
      found->second.waiting_tasks.push_back(task.id);
      break;
    }
  }
  return executors;
}

// It sits in result() of a job that is queued behind it.
bool waits_for_own_pool(const Case& seen, const Job& running) {
  const Thread* thread = seen.find_thread(running.thread);
  const Job* awaited = thread == nullptr || thread->awaited_job.is_null() ? nullptr : seen.find_job(thread->awaited_job);
  return awaited != nullptr && awaited->state == JobState::kQueued && awaited->executor == running.executor;
}

void put_workers(const Case& seen, const Executor& executor, Finding& finding) {
  for (std::size_t i = 0; i < executor.running.size() && i < kMostWorkersShown; ++i) {
    const Thread* thread = seen.find_thread(executor.running[i]->thread);
    if (thread == nullptr) continue;
    finding.threads.push_back(thread->tid);
    std::string line = fmt::format("{} is at {}", seen.name_of(*thread), seen.place_of(*thread));
    if (thread->system_call) line += ", in " + describe_system_call(*thread->system_call);
    finding.evidence.push_back(line + " (frames of the worker)");
  }
}

void find_full_executors(const Case& seen, std::vector<Finding>& found) {
  for (const auto& [id, executor] : gather_executors(seen)) {
    const Job& any = *executor.any;
    const std::uint64_t queued = any.queued.value_or(0);
    if (*any.workers == 0 || *any.busy < *any.workers || queued == 0) continue;
    const bool all_wait_for_own = executor.running.size() == *any.workers &&
                                  std::ranges::all_of(executor.running, [&](const Job* job) { return waits_for_own_pool(seen, *job); });
    if (executor.waiting_tasks.empty() && !all_wait_for_own) continue;
    const bool any_computes = std::ranges::any_of(executor.running, [&](const Job* job) {
      const Thread* thread = seen.find_thread(job->thread);
      return thread == nullptr || thread->on_cpu || thread->state == 'R' || thread->waits_for_gil;
    });
    Finding finding;
    finding.confidence = Confidence::kObserved;
    finding.severity = all_wait_for_own ? Severity::kError : queued >= *any.workers && !any_computes ? Severity::kWarning : Severity::kInfo;
    const std::string name = any.executor_type.empty() ? std::string("thread pool") : any.executor_type;
    finding.sentence = fmt::format("{} of {} {} is busy, and {} in its queue", *any.workers == 1 ? std::string("The only thread") : fmt::format("Each of the {} threads", *any.workers), name, format_address(id),
                                   queued == 1 ? std::string("1 call waits") : format_count(queued, "call") + " wait");
    if (all_wait_for_own) finding.sentence += ": each of the threads waits for a call that is queued behind it, so none will ever be free";
    if (!executor.running.empty()) {
      const Thread* thread = seen.find_thread(executor.running.front()->thread);
      if (thread != nullptr) finding.sentence += fmt::format("; {} is at {}", seen.name_of(*thread), seen.place_of(*thread));
    }
    finding.evidence.push_back(fmt::format("threads {}, in a call {}, queued calls {} (frames of the threads and the pool's queue)", *any.workers, *any.busy, queued));
    put_workers(seen, executor, finding);
    if (const Thread* first = executor.running.empty() ? nullptr : seen.find_thread(executor.running.front()->thread)) {
      if (const Frame* own = find_own_frame(seen.report(), first->stack)) finding.culprit = seen.culprit_at(*own);
    }
    finding.tasks = executor.waiting_tasks;
    finding.fix = all_wait_for_own ? "do not wait in a pool for the same pool: call the function directly, or use a second executor"
                                   : "give slow calls a timeout and an executor of their own (loop.run_in_executor(executor, ...)), or use asynchronous drivers";
    found.push_back(std::move(finding));
  }
}

// anyio's limiter of worker threads: what Starlette and FastAPI run `def` endpoints in.
void find_full_limiters(const Case& seen, std::vector<Finding>& found) {
  for (const Primitive& primitive : seen.report().primitives) {
    const auto total = primitive.number("total_tokens");
    const auto taken = primitive.number("borrowed_tokens");
    if (primitive.kind != "CapacityLimiter" || !total || !taken || *taken < *total || primitive.waiters.empty()) continue;
    const Task* first = seen.find_task(primitive.waiters.front());
    if (first == nullptr || seen.is_held_up(*first)) continue;
    Finding finding;
    finding.confidence = Confidence::kObserved;
    const bool is_long = primitive.waiters.size() >= static_cast<std::uint64_t>(std::max<std::int64_t>(*total, 1));
    finding.severity = is_long ? Severity::kWarning : Severity::kInfo;
    finding.tasks = primitive.waiters;
    finding.sentence = fmt::format("The thread limit of anyio is exhausted: all {} places are taken, and {} for one", *total,
                                   primitive.waiters.size() == 1 ? std::string("1 task waits") : format_count(primitive.waiters.size(), "task") + " wait");
    finding.evidence.push_back(fmt::format("CapacityLimiter {}: {} of {} tokens are borrowed (attributes of the limiter)", format_address(primitive.id), *taken, *total));
    for (std::size_t i = 0; i < primitive.holders.size() && i < kMostWorkersShown; ++i) {
      const Task* holder = seen.find_task(primitive.holders[i].task);
      const auto* wait = holder == nullptr ? nullptr : std::get_if<OnJob>(&holder->wait);
      const Job* job = wait == nullptr ? nullptr : seen.find_job(wait->job);
      const Thread* thread = job == nullptr ? nullptr : seen.find_thread(job->thread);
      if (thread != nullptr) finding.evidence.push_back(fmt::format("{} is at {} (frames of the worker)", seen.name_of(*thread), seen.place_of(*thread)));
    }
    finding.fix = "make slow endpoints `async def` with asynchronous drivers, or raise anyio.to_thread.current_default_thread_limiter().total_tokens";
    found.push_back(std::move(finding));
  }
}

void find_full_pools(const Case& seen, std::vector<Finding>& found) {
  find_full_executors(seen, found);
  find_full_limiters(seen, found);
}

}  // namespace

constexpr Rule kExecutorFull = {
    .id = "P11",
    .title = "Thread pool exhausted",
    .meaning = "All threads of an executor are busy, and further calls queue up: whoever awaits to_thread() or run_in_executor() waits for "
               "the slowest of them. `def` endpoints of FastAPI and Starlette share forty threads.",
    .looks_at = "The pool's queue, its threads and what each of them does. Observed. A note for a busy pool; a warning when at least as many "
                "calls wait as there are threads and all of these sleep; an error when each waits for a call queued behind it.",
    .example = "await asyncio.to_thread(requests.get, url)     # without a timeout, a thousand times",
    .remedy = "Give the slow calls timeouts and an executor of their own; use asynchronous drivers.",
    .find = find_full_pools,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
