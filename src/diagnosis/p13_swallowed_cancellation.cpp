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

// The frame that caught its cancellation and awaits something since, or null. A CancelledError of what it awaited is not its own.
const HandledException* find_handled(const Case& seen, const Task& task) {
  const TaskFacts* facts = seen.report().facts_of(task);
  if (facts == nullptr || task.cancel_requests.value_or(1) == 0) return nullptr;
  const auto found = std::ranges::find_if(facts->handling, &HandledException::is_cancellation);
  return found == facts->handling.end() ? nullptr : &*found;
}

Finding describe(const Case& seen, const Task& task, const HandledException* handled) {
  Finding finding;
  finding.tasks = {task.id};
  finding.culprit = seen.culprit_of(task);
  const auto times = static_cast<std::uint64_t>(task.cancel_requests.value_or(1));
  finding.sentence = fmt::format("{} was cancelled{} and {}, at {}", seen.name_of(task), times <= 1 ? "" : fmt::format(" {} times", times),
                                 handled != nullptr ? "waits on" : "goes on", seen.place_of(task));
  if (task.cancel_requests) {
    finding.evidence.push_back(fmt::format("its count of cancellation requests is {}, and none is still to be delivered (fields of the task)", times));
  }
  if (handled != nullptr) {
    finding.confidence = Confidence::kObserved;
    const std::string where = handled->frame < task.stack.size() ? " in " + seen.place_of(task.stack[handled->frame]) : std::string();
    finding.evidence.push_back(fmt::format("it awaits while it handles {}{} (handled exception of the frame)", handled->text, where));
  } else {
    // Up to their later releases async_timeout, aiohttp and anyio cancel the task at a timeout, deal with that, and leave the count.
    finding.severity = Severity::kInfo;
    finding.confidence = Confidence::kSuspected;
    finding.sentence += ": it dealt with that, or swallowed it";
  }
  finding.evidence.push_back(fmt::format("it is suspended at {} (await chain of the task)", seen.place_of(task)));
  finding.fix = "do not catch CancelledError (nor BaseException, nor use a bare `except:`) without raising it again; keep `finally` short, "
                "and put a timeout around what it awaits";
  return finding;
}

void find_swallowed(const Case& seen, std::vector<Finding>& found) {
  for (const Task& task : seen.report().tasks) {
    if (task.state != TaskState::kPending || task.must_cancel.value_or(false) || !still_waits(task) || seen.is_held_up(task)) continue;
    const HandledException* handled = find_handled(seen, task);
    if ((handled == nullptr && !was_cancelled(task)) || passed_it_on(seen, task)) continue;
    found.push_back(describe(seen, task, handled));
  }
}

}  // namespace

constexpr Rule kSwallowedCancellation = {
    .id = "P13",
    .title = "Timeout or cancellation swallowed",
    .meaning = "A task was cancelled, by cancel(), by a timeout or by its task group, and went on: it caught CancelledError, or it awaits "
               "something in its `finally`. Whoever waits for its end waits in vain.",
    .looks_at = "A frame of the task that awaits while it handles a CancelledError: observed, and clean-up that takes its time looks the same. Or only the task's "
                "count of cancellation requests (3.11 and later): suspected, and only a note, as libraries that cancel at a timeout leave it behind.",
    .example = "while True:\n    try:\n        await work()\n    except BaseException:      # takes CancelledError, too\n        log()",
    .remedy = "Raise CancelledError again; use try/finally in place of except; bound the clean-up with asyncio.timeout().",
    .find = find_swallowed,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
