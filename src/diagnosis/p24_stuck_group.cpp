#include <fmt/format.h>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostShown = 8;

std::string text_of(const Primitive& group, std::string_view name) {
  for (const Fact& fact : group.facts) {
    const auto* text = std::get_if<std::string>(&fact.value);
    if (fact.name == name && text != nullptr) return *text;
  }
  return {};
}

void find_stuck_groups(const Case& seen, std::vector<Finding>& found) {
  for (const Task& parent : seen.report().tasks) {
    const auto* many = std::get_if<OnMany>(&parent.wait);
    if (many == nullptr || many->construct != "TaskGroup" || many->pending == 0 || seen.is_held_up(parent)) continue;
    const Primitive* group = seen.find_primitive(many->group);
    if (group == nullptr || !group->flag("cancelling").value_or(false)) continue;
    std::vector<const Task*> children;
    for (Address id : many->tasks) {
      const Task* child = seen.find_task(id);
      if (child == nullptr || std::holds_alternative<Ready>(child->wait) || child->must_cancel.value_or(false)) {
        children.clear();  // the cancellation is on its way
        break;
      }
      children.push_back(child);
    }
    if (children.empty()) continue;
    Finding finding;
    finding.confidence = Confidence::kObserved;
    finding.tasks = {parent.id};
    for (const Task* child : children) finding.tasks.push_back(child->id);
    finding.culprit = seen.culprit_of(*children.front());
    const std::string error = text_of(*group, "error");
    finding.sentence = fmt::format("The task group of {} at {} can not end: it cancelled its tasks{}, and {} on, at {}", seen.name_of(parent), seen.place_of(parent),
                                   error.empty() ? "" : " because of " + error,
                                   children.size() == 1 ? seen.name_of(*children.front()) + " waits" : format_count(children.size(), "task") + " wait",
                                   seen.place_of(*children.front()));
    finding.evidence.push_back(fmt::format("the group is cancelling its tasks, with {} collected (attributes of the group)",
                                           format_count(static_cast<std::uint64_t>(group->number("errors").value_or(0)), "error")));
    for (std::size_t i = 0; i < children.size() && i < kMostShown; ++i) {
      finding.evidence.push_back(fmt::format("{} is still pending, at {} (await chain of the task)", seen.name_of(*children[i]), seen.place_of(*children[i])));
    }
    finding.fix = "let the tasks of a group end when they are cancelled: raise CancelledError again, keep `finally` short, bound clean-up with asyncio.timeout()";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kStuckGroup = {
    .id = "P24",
    .title = "Task group that can not end",
    .meaning = "One task of a group failed, or the group's scope was cancelled. The group cancelled the others and waits for them to end; one of them does not, "
               "and so neither does whoever entered the group.",
    .looks_at = "A group (asyncio's or anyio's) that is cancelling, the errors that it collected, and its tasks that wait on with no cancellation still to be "
                "delivered. Observed: clean-up that takes its time looks the same.",
    .example = "async with asyncio.TaskGroup() as group:\n    group.create_task(fails())\n    group.create_task(swallows_cancellation())",
    .remedy = "Raise CancelledError again; bound clean-up with asyncio.timeout().",
    .find = find_stuck_groups,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
