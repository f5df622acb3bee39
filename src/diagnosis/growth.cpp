#include "growth.h"

#include <fmt/format.h>

#include <algorithm>

#include "case.h"
#include "compare.h"
#include "finding_order.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::int64_t kLeastGrowth = 10;
constexpr std::size_t kLarge = 500;  // tasks of one kind: a warning
constexpr std::size_t kNamed = 100;

}  // namespace

void add_growth_findings(const Report& first, Report& last) {
  const Comparison comparison = compare_reports(first, last);
  if (!comparison.same_process || !comparison.seconds) return;
  std::vector<bool> has_ended(first.tasks.size(), false);
  for (const TaskChange& change : comparison.tasks) {
    const bool ended = change.fate == TaskFate::kGone || change.fate == TaskFate::kDone;
    if (ended && change.before < has_ended.size()) has_ended[change.before] = true;
  }
  const Case seen(last);
  std::vector<Finding> found;
  for (const GroupChange& group : comparison.groups) {
    const auto before = static_cast<std::int64_t>(group.before.size());
    if (group.growth() < std::max(kLeastGrowth, before / 10) || group.after.empty()) continue;
    if (std::ranges::any_of(group.before, [&](std::uint32_t task) { return task < has_ended.size() && has_ended[task]; })) continue;
    const Task& one = last.tasks[group.after.front()];
    if (one.state != TaskState::kPending || seen.is_held_up(one)) continue;
    Finding finding;
    finding.rule = "P18";
    finding.severity = group.after.size() >= kLarge ? Severity::kWarning : Severity::kInfo;
    finding.confidence = Confidence::kObserved;
    for (std::size_t i = 0; i < group.after.size() && i < kNamed; ++i) finding.tasks.push_back(last.tasks[group.after[i]].id);
    finding.culprit = seen.culprit_of(one);
    finding.sentence = fmt::format("Tasks at {} grow in number, from {} to {} in {}, and none has ended meanwhile", seen.place_of(one), group.before.size(),
                                   group.after.size(), format_duration(*comparison.seconds));
    finding.evidence.push_back(fmt::format("{} more with the same stack in the last of {} samples than in the first (await chains of all tasks)",
                                           format_count(static_cast<std::uint64_t>(group.growth()), "task"), last.capture.samples));
    finding.fix = "end what nobody waits for (timeouts, asyncio.TaskGroup), and bound what is started: asyncio.Semaphore, or a fixed number of workers";
    found.push_back(std::move(finding));
  }
  if (found.empty()) return;
  std::erase_if(last.findings, [](const Finding& each) { return each.rule == "P18"; });  // of one look, and less sure
  std::ranges::move(found, std::back_inserter(last.findings));
  sort_findings(last.findings);
}

}  // namespace asyncspy
