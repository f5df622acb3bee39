#include <fmt/format.h>

#include <map>

#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostShown = 8;

// gather(return_exceptions=True) keeps what failed to itself until the last one is done.
void find_kept_errors(const Case& seen, std::vector<Finding>& found) {
  for (const Task& task : seen.report().tasks) {
    const auto* many = std::get_if<OnMany>(&task.wait);
    if (many == nullptr || many->construct != "gather" || many->failed == 0 || many->pending == 0 || seen.is_held_up(task)) continue;
    Finding finding;
    finding.severity = Severity::kInfo;
    finding.confidence = Confidence::kObserved;
    finding.tasks = {task.id};
    finding.culprit = seen.culprit_of(task);
    finding.sentence = fmt::format("{} of the {} that {} gathers at {} {} failed already, which it is not told before the other {} done: {}",
                                   many->failed, many->total, seen.name_of(task), seen.place_of(task), many->failed == 1 ? "has" : "have",
                                   many->pending == 1 ? "one is" : std::to_string(many->pending) + " are", many->failure);
    finding.evidence.push_back(fmt::format("of the futures of the gather(), {} ended with an exception, and {} still pending (children of the gathering future)",
                                           many->failed, many->pending == 1 ? "1 is" : std::to_string(many->pending) + " are"));
    finding.fix = "asyncio.TaskGroup (3.11+) cancels the others and raises at once; or bound each call with asyncio.timeout() and look at every result";
    found.push_back(std::move(finding));
  }
}

// gather() without it raises the first error, and its siblings run on.
void find_orphans(const Case& seen, std::vector<Finding>& found) {
  std::map<std::string, std::vector<const Task*>> orphans;
  for (const Task& task : seen.report().tasks) {
    const TaskFacts* facts = seen.report().facts_of(task);
    if (facts == nullptr || !facts->abandoned || facts->abandoned->construct != "gather" || facts->abandoned->was_cancelled) continue;
    if (task.state == TaskState::kPending) orphans[facts->abandoned->error].push_back(&task);
  }
  for (const auto& [error, tasks] : orphans) {
    Finding finding;
    finding.confidence = Confidence::kObserved;
    for (const Task* task : tasks) finding.tasks.push_back(task->id);
    finding.culprit = seen.culprit_of(*tasks.front());
    finding.sentence = fmt::format("{} in the background although the gather() that started {} is over, with {}: {}",
                                   tasks.size() == 1 ? seen.name_of(*tasks.front()) + " goes on" : format_count(tasks.size(), "task") + " go on",
                                   tasks.size() == 1 ? "it" : "them", error.empty() ? "a result" : error, seen.list_tasks(finding.tasks));
    for (std::size_t i = 0; i < tasks.size() && i < kMostShown; ++i) {
      finding.evidence.push_back(fmt::format("{} is pending at {}; its callback leads to a gathering future that is done (callbacks of the task)", seen.name_of(*tasks[i]),
                                             seen.place_of(*tasks[i])));
    }
    finding.fix = "asyncio.TaskGroup (3.11+) cancels the siblings of what fails; or cancel them yourself where gather() raises";
    found.push_back(std::move(finding));
  }
}

void find_hidden(const Case& seen, std::vector<Finding>& found) {
  find_orphans(seen, found);
  find_kept_errors(seen, found);
}

}  // namespace

constexpr Rule kHiddenFailure = {
    .id = "P14",
    .title = "gather() that hides failures, or leaves siblings running",
    .meaning = "gather(return_exceptions=True) tells of a failure only when the last of its calls is done. gather() without it raises at the first "
               "failure, and the other calls run on with nobody to see how they end.",
    .looks_at = "The gathering future, its children by state and the exceptions among them; tasks whose callback belongs to a gather() that is "
                "done. Observed. Failures that are kept back are only a note, as that may be what was wanted.",
    .example = "await asyncio.gather(fetch(a), fetch(b))      # the first one raises: the second one goes on",
    .remedy = "asyncio.TaskGroup (3.11+).",
    .find = find_hidden,
};

}  // namespace asyncspy
