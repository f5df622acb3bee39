#include "waiting_times.h"

#include "compare.h"

namespace asyncspy {

void carry_waiting_times(const Report& before, Report& after) {
  after.capture.samples = before.capture.samples + 1;
  after.capture.pause_seconds += before.capture.pause_seconds;
  after.capture.stops += before.capture.stops;
  const Comparison found = compare_reports(before, after);
  if (!found.seconds) return;
  after.capture.sampled_seconds = before.capture.sampled_seconds + *found.seconds;
  for (const TaskChange& change : found.tasks) {
    if (change.after == kNowhere) continue;
    Task& task = after.tasks[change.after];
    if (task.state == TaskState::kFinished || task.state == TaskState::kCancelled) continue;
    const bool still = change.fate == TaskFate::kStill;
    task.waiting_at_least = still ? before.tasks[change.before].waiting_at_least.value_or(0) + *found.seconds : 0;
  }
}

}  // namespace asyncspy
