#include <fmt/format.h>

#include <algorithm>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

bool was_cancelled(const Task& task) {
  return task.state == TaskState::kPending && task.cancel_requests.value_or(0) > 0 && !task.must_cancel.value_or(false);
}

bool still_waits(const Task& task) {
  return !task.running && !std::holds_alternative<Ready>(task.wait) && !std::holds_alternative<Done>(task.wait) && !std::holds_alternative<Running>(task.wait);
}

// cancel() of a task that awaits tasks cancels those: the one that goes on in spite of it is to blame.
bool passed_it_on(const Case& seen, const Task& task) {
  const auto is_cancelled = [&](Address id) {
    const Task* other = seen.find_task(id);
    return other != nullptr && was_cancelled(*other);
  };
  if (const auto* wait = std::get_if<OnTask>(&task.wait)) return is_cancelled(wait->task);
  const auto* many = std::get_if<OnMany>(&task.wait);
  return many != nullptr && std::ranges::any_of(many->tasks, is_cancelled);
}

void find_swallowed(const Case& seen, std::vector<Finding>& found) {
  for (const Task& task : seen.report().tasks) {
    if (!was_cancelled(task) || !still_waits(task) || seen.is_held_up(task) || passed_it_on(seen, task)) continue;
    Finding finding;
    finding.confidence = Confidence::kObserved;
    finding.tasks = {task.id};
    finding.culprit = seen.culprit_of(task);
    const auto times = static_cast<std::uint64_t>(*task.cancel_requests);
    finding.sentence = fmt::format("{} was cancelled{} and waits on, at {}", seen.name_of(task), times == 1 ? "" : fmt::format(" {} times", times), seen.place_of(task));
    finding.evidence.push_back(fmt::format("its count of cancellation requests is {}, and none is still to be delivered (fields of the task)", times));
    finding.evidence.push_back(fmt::format("it is suspended at {} (await chain of the task)", seen.place_of(task)));
    finding.fix = "do not catch CancelledError (nor BaseException, nor use a bare `except:`) without raising it again; keep `finally` short, "
                  "and put a timeout around what it awaits";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kSwallowedCancellation = {
    .id = "P13",
    .title = "Timeout or cancellation swallowed",
    .meaning = "A task was cancelled, by cancel(), by a timeout or by its task group, and went on: it caught CancelledError, or it awaits "
               "something in its `finally`. Whoever waits for its end waits in vain.",
    .looks_at = "The task's count of cancellation requests (3.11 and later; earlier releases keep none), that none is about to be delivered, "
                "and that it waits. Observed: clean-up that takes its time looks the same.",
    .example = "while True:\n    try:\n        await work()\n    except BaseException:      # takes CancelledError, too\n        log()",
    .remedy = "Raise CancelledError again; use try/finally in place of except; bound the clean-up with asyncio.timeout().",
    .find = find_swallowed,
};

}  // namespace asyncspy
