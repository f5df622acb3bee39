#include <fmt/format.h>

#include <algorithm>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

// A waiter that was woken has not run yet: all is as it should be.
bool is_being_served(const Case& seen, const Primitive& primitive) {
  return primitive.strange_waiters > 0 || std::ranges::any_of(primitive.waiters, [&](Address id) {
    const Task* task = seen.find_task(id);
    return task == nullptr || seen.is_held_up(*task) || !std::holds_alternative<OnPrimitive>(task->wait);
  });
}

Finding start_finding(const Case& seen, const Primitive& primitive) {
  Finding finding;
  finding.confidence = Confidence::kSuspected;
  finding.tasks = primitive.waiters;
  const Task* first = seen.find_task(primitive.waiters.front());
  if (first != nullptr) finding.culprit = seen.culprit_of(*first);
  finding.evidence.push_back(fmt::format("its queue holds {} (attributes of the {}), the first at {}", format_count(primitive.waiters.size(), "waiter"),
                                         primitive.kind, first == nullptr ? std::string("?") : seen.place_of(*first)));
  return finding;
}

void find_never_released(const Case& seen, std::vector<Finding>& found) {
  for (const Primitive& primitive : seen.report().primitives) {
    const bool is_lock = primitive.kind == "Lock";
    const bool is_semaphore = primitive.kind == "Semaphore" || primitive.kind == "BoundedSemaphore";
    if ((!is_lock && !is_semaphore) || primitive.waiters.empty() || is_being_served(seen, primitive)) continue;
    const auto locked = is_lock ? primitive.flag("locked") : std::nullopt;
    const auto value = is_semaphore ? primitive.number("value") : std::nullopt;
    if (!locked && !value) continue;
    const bool is_taken = locked.value_or(false) || value.value_or(1) <= 0;
    const std::string state = is_lock ? (is_taken ? "locked" : "not locked") : fmt::format("at {}", value.value_or(0));
    const std::string name = fmt::format("{} {}", primitive.kind, format_address(primitive.id));
    const std::string waiters = primitive.waiters.size() == 1 ? seen.name_of_task(primitive.waiters.front()) + " waits"
                                                              : format_count(primitive.waiters.size(), "task") + " wait";
    if (is_taken && !primitive.holders.empty()) continue;
    Finding finding = start_finding(seen, primitive);
    finding.evidence.push_back(fmt::format("it is {} (attributes of the {})", state, primitive.kind));
    if (is_taken) {
      finding.sentence = fmt::format("{} for {}, which is {} although no task is inside its critical section: it was probably never released", waiters, name, state);
      finding.evidence.push_back("no pending task has it in an `async with` or in a local variable (frames of all tasks)");
      finding.fix = "take it with `async with`, so that it is released whatever happens, also when the task is cancelled";
    } else {
      finding.sentence = fmt::format("{} for {}, which is {}: their wake-up was lost", waiters, name, state);
      finding.fix = "a waiter was cancelled at the wrong moment, or it was released from another thread: use loop.call_soon_threadsafe(lock.release)";
    }
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kNeverReleased = {
    .id = "P09",
    .title = "Lock or semaphore never released, or a wake-up lost",
    .meaning = "Tasks wait for a lock that nobody holds any more: the task that took it ended or was cancelled without release(). Or the "
               "lock is free, and the waiters were not told.",
    .looks_at = "The state and the queue of the lock, and the frames of all tasks: none is inside its `async with` or has it in a local "
                "variable. Suspected, as something that was not looked at (an attribute, a callback) may still release it.",
    .example = "await lock.acquire()\nawait fetch()          # raises: release() below is never reached\nlock.release()",
    .remedy = "Use `async with lock:`. Release from the loop's own thread.",
    .find = find_never_released,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
