#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "own_code.h"
#include "rules.h"
#include "words.h"

namespace asyncspy {
namespace {

// The program's own code awaits a future itself, and nothing that is known of the loop will complete it.
bool awaits_bare_future(const Case& seen, const Task& task) {
  const auto* wait = std::get_if<OnFuture>(&task.wait);
  if (wait == nullptr || wait->descriptor >= 0 || !wait->inferred.empty() || task.stack.empty()) return false;
  if (task.state != TaskState::kPending || task.deadline || seen.is_held_up(task)) return false;
  const std::string_view file = seen.file_of(task.stack.back());
  return !file.empty() && !is_library_file(file);
}

void find_bare_futures(const Case& seen, std::vector<Finding>& found) {
  std::map<std::string, std::vector<const Task*>> places;
  for (const Task& task : seen.report().tasks) {
    if (awaits_bare_future(seen, task)) places[seen.place_of(task)].push_back(&task);
  }
  for (const auto& [place, tasks] : places) {
    Finding finding;
    finding.severity = Severity::kInfo;
    finding.confidence = Confidence::kSuspected;
    for (const Task* task : tasks) finding.tasks.push_back(task->id);
    finding.culprit = seen.culprit_of(*tasks.front());
    finding.sentence = fmt::format("{} at {} for a future that no timer, descriptor, task or thread is known to complete",
                                   tasks.size() == 1 ? seen.name_of(*tasks.front()) + " waits" : format_count(tasks.size(), "task") + " wait", place);
    finding.evidence.push_back("what it awaits is a pending future that belongs to no timer, watched descriptor, task, job or primitive (loops, callbacks and threads)");
    finding.fix = "see who is to call set_result() on it; put a timeout around the await";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kBareFuture = {
    .id = "P07",
    .title = "Future that nobody completes",
    .meaning = "A task awaits a future whose set_result() never comes: the one who was to call it is gone, failed, or forgot it.",
    .looks_at = "A pending future awaited by the program's own code, which belongs to nothing that asyncspy knows. Suspected, and only a note: any "
                "object may keep the future and complete it later.",
    .example = "waiter = loop.create_future()\npending[key] = waiter\nawait waiter                # and the answer for `key` was lost",
    .remedy = "Complete futures in a `finally`; cancel them when a connection ends; put a timeout around the await.",
    .find = find_bare_futures,
};

}  // namespace asyncspy
