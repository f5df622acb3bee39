#include <fmt/format.h>

#include "rules.h"

namespace asyncspy {
namespace {

void find_lost(const Case& seen, std::vector<Finding>& found) {
  for (const Task& task : seen.report().tasks) {
    const TaskFacts* facts = seen.report().facts_of(task);
    if (facts == nullptr || !facts->unreachable) continue;
    Finding finding;
    finding.confidence = Confidence::kProven;
    finding.tasks = {task.id};
    finding.culprit = seen.culprit_of(task);
    finding.sentence = fmt::format("{} waits at {} for a future that nothing can complete any more, and will be destroyed while it is pending", seen.name_of(task),
                                   seen.place_of(task));
    finding.evidence.push_back("the task, its coroutines, the future that it awaits and its wake-up have no reference but those to each other (reference counts and frames)");
    finding.fix = "keep a reference to the task until it is done: asyncio.TaskGroup (3.11+), or a set with task.add_done_callback(set.discard); and "
                  "see who was to complete the future";
    found.push_back(std::move(finding));
  }
}

}  // namespace

constexpr Rule kLostTask = {
    .id = "P05",
    .title = "Task that is held only weakly",
    .meaning = "asyncio keeps tasks by weak references. A task that waits for something which nothing else refers to is garbage: it never goes on, and the "
               "garbage collector destroys it (\"Task was destroyed but it is pending!\").",
    .looks_at = "The reference counts of a task, of its coroutines, of the future that it awaits and of its wake-up: all are explained by what these "
                "keep of each other. Proven. Longer circles, through objects of the program, are not followed.",
    .example = "asyncio.create_task(listen())      # nobody keeps it, and `await loop.create_future()` in it is kept by nobody either",
    .remedy = "asyncio.TaskGroup; or keep tasks in a set and remove them when they are done.",
    .find = find_lost,
};

}  // namespace asyncspy
