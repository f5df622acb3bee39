#include <fmt/format.h>

#include "rules.h"

namespace asyncspy {
namespace {

void find_shielded(const Case& seen, std::vector<Finding>& found) {
  for (const Task& task : seen.report().tasks) {
    const TaskFacts* facts = seen.report().facts_of(task);
    if (facts == nullptr || !facts->abandoned || facts->abandoned->construct != "shield" || task.state != TaskState::kPending) continue;
    Finding finding;
    finding.severity = Severity::kInfo;
    finding.confidence = Confidence::kObserved;
    finding.tasks = {task.id};
    finding.culprit = seen.culprit_of(task);
    finding.sentence = fmt::format("{} goes on at {} although what awaited it through shield() was cancelled", seen.name_of(task), seen.place_of(task));
    finding.evidence.push_back("the outer future of the shield() is cancelled, the inner one is pending (callbacks of the task)");
    finding.fix = "keep a reference to what is shielded, await it in a `finally`, and bound it with asyncio.timeout()";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kShieldedTask = {
    .id = "P15",
    .title = "shield(): the outside is cancelled, the inside goes on",
    .meaning = "Whoever awaited through asyncio.shield() was cancelled and believes that the work ended. It goes on, and nobody sees how it ends.",
    .looks_at = "The callback of shield() on a pending task, and the cancelled future that this leads to. Observed, and only a note, as it is what "
                "shield() is for. The loop's next step takes the callback away: later there is no trace of it.",
    .example = "await asyncio.wait_for(asyncio.shield(commit()), 1)      # commit() goes on after the timeout",
    .remedy = "Keep the inner task, and await it before its surroundings end.",
    .find = find_shielded,
};

}  // namespace asyncspy
