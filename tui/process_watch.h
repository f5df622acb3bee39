// Looks at one live process again and again: full snapshots, for which it is stopped, and light samples in between, for which it
// is not. How often follows from what they cost (pacing.h).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "light_sampler.h"
#include "live_target.h"
#include "pacing.h"
#include "process_model.h"
#include "top_model.h"

namespace asyncspy {

struct WatchOptions {
  bool no_pause = false;
  std::chrono::milliseconds max_pause{250};
  PacingLimits limits{};
};

class ProcessWatch {
 public:
  ProcessWatch(int pid, const WatchOptions& options) : pid_(pid), options_(options), pacing_(options.limits) {}

  // One full look, whether it is due or not. What is wrong is said in the model's status; the error is returned, too.
  Result<void> look(double now, ProcessModel& model);

  // Whatever is due. True: the model has a new report, or another status.
  bool step(double now, ProcessModel& model);

  [[nodiscard]] double next_due() const { return is_over_ ? kNever : sampler_ ? std::min(next_full_, next_light_) : next_full_; }
  [[nodiscard]] bool is_over() const { return is_over_; }  // the process has ended
  [[nodiscard]] int pid() const { return pid_; }

  [[nodiscard]] WatchCosts costs(double now) const;

  static constexpr double kNever = 1e18;

 private:
  void take_light_sample(double now, ProcessModel& model);
  void note_failure(double now, const Error& error, ProcessModel& model);
  [[nodiscard]] bool is_replaced(const ProcessFacts& process) const;

  int pid_;
  WatchOptions options_;
  Pacing pacing_;
  std::unique_ptr<LiveTarget> target_;     // before the sampler, which refers to it
  std::unique_ptr<LightSampler> sampler_;  // null until there was a full look
  std::optional<ProcessFacts> known_;      // as of the last full look
  double next_full_ = 0;
  double next_light_ = 0;
  double notice_until_ = 0;                // it is said for a while that the process is another one now
  int failures_ = 0;                       // of light samples, in a row
  std::string light_problem_;
  bool is_over_ = false;
  double pauses_paid_ = 0;                 // when all stops so far are no more than their share of the time
  double last_pause_ = 0;
  double last_full_ = 0;
  std::uint64_t looks_ = 0;
  ShareMeter pauses_;
  ShareMeter light_samples_;
};

}  // namespace asyncspy
