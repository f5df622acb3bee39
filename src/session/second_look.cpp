#include "second_look.h"

#include <chrono>
#include <thread>

#include "confirm.h"
#include "waiting_times.h"

namespace asyncspy {

Report confirm_by_second_look(Report report, const std::function<Result<Report>()>& look) {
  constexpr std::chrono::milliseconds kInBetween{150};
  if (report.capture.mode != CaptureMode::kStopped || !has_momentary_findings(report)) return report;
  std::this_thread::sleep_for(kInBetween);
  auto later = look();
  if (!later) return report;
  carry_waiting_times(report, *later);
  for (Task& task : later->tasks) task.waiting_at_least.reset();  // so little says nothing, and nobody asked for it
  confirm_findings(report, *later);
  return std::move(*later);
}

}  // namespace asyncspy
