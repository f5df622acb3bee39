#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "own_code.h"
#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostShown = 8;

// Somebody is going to ask: a task that waits for it, or for several of which it may be one.
class Askers {
 public:
  explicit Askers(const Case& seen) {
    for (const Task& task : seen.report().tasks) {
      if (task.state != TaskState::kPending) continue;
      awaited_.insert(task.awaited);
      const auto* many = std::get_if<OnMany>(&task.wait);
      if (many != nullptr && many->failed > 0) loops_.insert(task.loop);
    }
  }
  [[nodiscard]] bool ask_for(const Task& task) const { return awaited_.contains(task.id) || loops_.contains(task.loop); }

 private:
  std::unordered_set<Address> awaited_;
  std::set<std::int32_t> loops_;
};

Culprit culprit_of(const Report& report, const Outcome& outcome) {
  const auto text = [&](std::uint32_t index) { return index < report.names.size() ? report.names[index] : std::string(); };
  const SourcePlace* chosen = nullptr;
  for (const SourcePlace& place : outcome.raised_at) {
    if (chosen == nullptr || !is_library_file(text(place.file))) chosen = &place;
  }
  if (chosen == nullptr) return {};
  return {text(chosen->function), text(chosen->file), chosen->line, {}};
}

std::string describe_creation(const Report& report, const TaskFacts& facts) {
  for (std::size_t i = facts.created_at.size(); i-- > 0;) {
    const SourcePlace& place = facts.created_at[i];
    if (place.file >= report.names.size() || is_library_file(report.names[place.file])) continue;
    return fmt::format(", made in {} ({}:{})", place.function < report.names.size() ? report.names[place.function] : "?", report.names[place.file], place.line);
  }
  return {};
}

bool has_unretrieved_error(const TaskFacts& facts) { return facts.outcome && facts.outcome->never_retrieved; }

void find_unretrieved(const Case& seen, std::vector<Finding>& found) {
  if (std::ranges::none_of(seen.report().facts, has_unretrieved_error)) return;
  const Askers askers(seen);
  std::map<std::string, std::vector<const Task*>> errors;  // equal ones are one finding
  for (const Task& task : seen.report().tasks) {
    const TaskFacts* facts = seen.report().facts_of(task);
    if (task.state != TaskState::kFinished || facts == nullptr || !has_unretrieved_error(*facts) || askers.ask_for(task)) continue;
    const Culprit culprit = culprit_of(seen.report(), *facts->outcome);
    errors[fmt::format("{}\n{}:{}\n{}", facts->outcome->text, culprit.file, culprit.line, facts->outcome->held)].push_back(&task);
  }
  for (const auto& [key, tasks] : errors) {
    const TaskFacts& facts = *seen.report().facts_of(*tasks.front());
    Finding finding;
    finding.severity = facts.outcome->held ? Severity::kInfo : Severity::kWarning;
    finding.confidence = Confidence::kObserved;
    for (const Task* task : tasks) finding.tasks.push_back(task->id);
    finding.culprit = culprit_of(seen.report(), *facts.outcome);
    const std::string who = tasks.size() == 1 ? seen.name_of(*tasks.front()) : format_count(tasks.size(), "task");
    finding.sentence = fmt::format("{} failed with {}", who, facts.outcome->text);
    if (finding.culprit->file.empty()) {
      finding.culprit.reset();
    } else {
      finding.sentence += fmt::format(" in {} ({}:{})", finding.culprit->function, finding.culprit->file, finding.culprit->line);
    }
    finding.sentence += ", and nobody has asked for it";
    for (std::size_t i = 0; i < tasks.size() && i < kMostShown; ++i) {
      finding.evidence.push_back(fmt::format("{} is finished with an exception that was never retrieved (fields of the task){}", seen.name_of(*tasks[i]),
                                             describe_creation(seen.report(), *seen.report().facts_of(*tasks[i]))));
    }
    if (facts.outcome->held) finding.evidence.push_back("a suspended frame has it in a local variable, and may still ask for it (frames of all tasks)");
    finding.evidence.push_back("no pending task waits for it (await chains of all tasks)");
    finding.fix = "await the task, or start it in an asyncio.TaskGroup (3.11+), which passes the exception on; or add a done callback that logs task.exception()";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kUnretrievedError = {
    .id = "P04",
    .title = "Fire-and-forget task that failed",
    .meaning = "A task ended with an exception, and nobody has awaited it or asked for the exception: what it was to do is not done, and no log says "
               "so before the task object is destroyed.",
    .looks_at = "Finished tasks that are still alive and whose exception was never retrieved, and which no pending task waits for. Observed: "
                "somebody may still ask. From 3.14 on asyncio does not list finished tasks: --heap finds them.",
    .example = "background.add(asyncio.create_task(refresh()))      # raises; nobody awaits it",
    .remedy = "asyncio.TaskGroup; await the task; or task.add_done_callback() with a function that logs task.exception().",
    .find = find_unretrieved,
    .passing = Passing::kAll,
};

}  // namespace asyncspy
