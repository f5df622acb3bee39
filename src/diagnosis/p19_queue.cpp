#include <fmt/format.h>

#include <algorithm>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::int64_t kLarge = 10'000;  // items

struct Waiting {
  std::vector<Address> putting;
  std::vector<Address> joining;
};

Waiting sort_waiters(const Case& seen, const Primitive& queue) {
  Waiting waiting;
  for (Address id : queue.waiters) {
    const Task* task = seen.find_task(id);
    const auto* wait = task == nullptr || seen.is_held_up(*task) ? nullptr : std::get_if<OnPrimitive>(&task->wait);
    if (wait == nullptr) continue;
    if (wait->operation == "put") waiting.putting.push_back(id);
    if (wait->operation == "join") waiting.joining.push_back(id);
  }
  return waiting;
}

std::string describe_waiting(const Case& seen, const std::vector<Address>& tasks, std::string_view operation) {
  if (tasks.size() == 1) return fmt::format("{} waits in {}()", seen.name_of_task(tasks.front()), operation);
  return fmt::format("{} wait in {}()", format_count(tasks.size(), "task"), operation);
}

// Whether anybody is left who could go on with the queue.
void judge_users(std::int64_t users, Finding& finding) {
  if (users == 0) {
    finding.when_confirmed = Confidence::kObserved;
    finding.evidence.push_back("no other pending task has the queue in a local variable, or in an attribute of one (frames of all tasks)");
  } else {
    finding.severity = Severity::kInfo;
    finding.evidence.push_back(fmt::format("{} that {} not wait at it {} the queue in a local variable, or in an attribute of one, and may be busy with an item (frames of all tasks)",
                                           format_count(static_cast<std::uint64_t>(users), "pending task"), users == 1 ? "does" : "do", users == 1 ? "has" : "have"));
  }
}

void find_stuck_queues(const Case& seen, std::vector<Finding>& found) {
  for (const Primitive& queue : seen.report().primitives) {
    if (!queue.kind.ends_with("Queue")) continue;
    const auto size = queue.number("size");
    const auto getters = queue.number("getters");
    const std::int64_t unfinished = queue.number("unfinished_tasks").value_or(0);
    const std::int64_t most = queue.number("maxsize").value_or(0);
    if (!size || !getters) continue;
    const Waiting waiting = sort_waiters(seen, queue);
    const std::string name = fmt::format("{} {}", queue.kind, format_address(queue.id));
    Finding finding;
    finding.confidence = Confidence::kSuspected;
    if (!waiting.putting.empty() && most > 0 && *size >= most && *getters == 0) {
      finding.tasks = waiting.putting;
      finding.sentence = fmt::format("{} is full ({} of {}), {}, and no task waits to take from it: its consumer is busy elsewhere or dead", name, *size, most,
                                     describe_waiting(seen, waiting.putting, "put"));
      finding.fix = "see whether the consumer task ended with an exception: keep a reference to it and await it, as asyncio.TaskGroup does";
    } else if (!waiting.joining.empty() && *size == 0 && unfinished > 0 && *getters > 0) {
      finding.tasks = waiting.joining;
      finding.sentence = fmt::format("{} for {}, which is empty: {} taken and never marked as done", describe_waiting(seen, waiting.joining, "join"), name,
                                     unfinished == 1 ? std::string("1 item was") : fmt::format("{} items were", unfinished));
      finding.fix = "call queue.task_done() in a `finally` for every item taken, also when its work fails";
    } else if (!waiting.joining.empty() && *size > 0 && *getters == 0) {
      finding.tasks = waiting.joining;
      finding.sentence = fmt::format("{} for {}, which holds {} that no task waits to take: its consumer is busy elsewhere or dead", describe_waiting(seen, waiting.joining, "join"),
                                     name, format_count(static_cast<std::uint64_t>(*size), "item"));
      finding.fix = "see whether the consumer task ended with an exception: keep a reference to it and await it, as asyncio.TaskGroup does";
    } else if (most == 0 && *size >= kLarge) {
      finding.severity = Severity::kInfo;
      finding.sentence = fmt::format("{} has no bound and holds {}", name, format_count(static_cast<std::uint64_t>(*size), "item"));
      finding.fix = "give the queue a maxsize, so that put() makes the producer wait";
    } else {
      continue;
    }
    const Task* first = finding.tasks.empty() ? nullptr : seen.find_task(finding.tasks.front());
    if (first != nullptr) finding.culprit = seen.culprit_of(*first);
    finding.evidence.push_back(fmt::format("size {}, maxsize {}, unfinished {}, {} waiting in get() (attributes of the queue)", *size, most, unfinished, *getters));
    if (const auto users = queue.number("referring_tasks"); users && first != nullptr) judge_users(*users, finding);
    if (first != nullptr) finding.evidence.push_back(fmt::format("{} waits at {} (await chain of the task)", seen.name_of(*first), seen.place_of(*first)));
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kStuckQueue = {
    .id = "P19",
    .title = "Queue without a consumer; join() in vain; queue without a bound",
    .meaning = "Producers wait at a full queue that nobody empties, or somebody waits in join() for items that nobody marks as done: the "
               "worker died or forgets task_done(). A queue without maxsize grows until memory is gone.",
    .looks_at = "Size, maxsize, unfinished count and waiters of each queue at which a task waits. Suspected; observed when no "
                "other task refers to the queue and a second look finds it unmoved; a note when one does, as it may be busy with an item. Queues at which no task waits are not seen.",
    .example = "asyncio.create_task(worker(queue))     # died of an exception that nobody looked at\nawait queue.join()",
    .remedy = "Await the workers (asyncio.TaskGroup); task_done() in a `finally`; give the queue a maxsize.",
    .find = find_stuck_queues,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
