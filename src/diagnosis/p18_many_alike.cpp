#include <fmt/format.h>

#include <algorithm>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMany = 5'000;
constexpr std::size_t kNamed = 100;

void find_crowds(const Case& seen, std::vector<Finding>& found) {
  const auto& tasks = seen.report().tasks;
  for (const TaskGroup& group : seen.report().groups) {
    if (group.tasks.size() < kMany || group.tasks.front() >= tasks.size()) continue;
    const Task& first = tasks[group.tasks.front()];
    if (first.state != TaskState::kPending || seen.is_held_up(first)) continue;
    Finding finding;
    finding.severity = Severity::kInfo;
    finding.confidence = Confidence::kSuspected;
    for (std::size_t i = 0; i < kNamed; ++i) finding.tasks.push_back(tasks[std::min<std::size_t>(group.tasks[i], tasks.size() - 1)].id);
    finding.culprit = seen.culprit_of(first);
    finding.sentence = fmt::format("{} wait at {}: if their number grows, they are never ended", format_count(group.tasks.size(), "task"), seen.place_of(first));
    finding.evidence.push_back(fmt::format("{} have the same stack and wait for the same kind of thing (await chains of all tasks)", format_count(group.tasks.size(), "task")));
    finding.fix = "bound them with asyncio.Semaphore or a queue of fixed workers; end what nobody waits for: asyncio.TaskGroup, timeouts";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kCrowd = {
    .id = "P18",
    .title = "Leaked tasks",
    .meaning = "Tasks are started and never end: memory climbs, and every shutdown takes longer.",
    .looks_at = "Five thousand or more tasks with equal stacks. Suspected, and only a note, as one look does not tell whether they grow. With --samples: "
                "groups that grow while none of their tasks ends; observed, and a warning from five hundred tasks on.",
    .example = "for event in stream:\n    asyncio.create_task(handle(event))      # faster than they end",
    .remedy = "Bound the number with asyncio.Semaphore or a fixed number of workers; put timeouts around what they wait for.",
    .find = find_crowds,
};

}  // namespace asyncspy
