#include "process_watch.h"

#include <algorithm>

#include "analyse.h"
#include "capture.h"
#include "confirm.h"
#include "own_cost.h"
#include "text_sections.h"

namespace asyncspy {
namespace {

constexpr int kMostFailures = 50;      // of light samples in a row, until that is said
constexpr double kNoticeSeconds = 15;
constexpr double kSecondLook = 0.3;    // seconds after the first
constexpr double kRetrySeconds = 1;    // after a full look that failed

}  // namespace

// An exec keeps number and start time; what the kernel tells a new program at its start differs.
bool ProcessWatch::is_replaced(const ProcessFacts& process) const {
  return known_ && (known_->auxiliary_vector != process.auxiliary_vector || known_->executable != process.executable);
}

void ProcessWatch::note_failure(double now, const Error& error, ProcessModel& model) {
  sampler_.reset();
  if (error.kind == ErrorKind::kNoProcess) {
    is_over_ = true;
    model.set_status(WatchStatus::kGone, error.what + (model.report() ? ": this is the last look" : ""));
    return;
  }
  next_full_ = now + std::max(kRetrySeconds, pacing_.full_interval());
  model.set_status(WatchStatus::kUnreadable, error.what + (model.report() ? ": this is the last look that succeeded" : ""));
}

Result<void> ProcessWatch::look(double now, ProcessModel& model) {
  const double cpu_before = processor_seconds();
  sampler_.reset();
  auto attached = LiveTarget::attach(pid_);
  if (!attached) {
    note_failure(now, attached.error(), model);
    return std::unexpected(std::move(attached.error()));
  }
  target_ = std::move(*attached);
  CaptureOptions options;
  options.no_pause = options_.no_pause;
  options.max_pause = options_.max_pause;
  auto snapshot = capture(*target_, options);
  auto report = snapshot ? analyse(*snapshot) : Result<Report>(std::unexpected(snapshot.error()));
  if (!report) {
    note_failure(now, report.error(), model);
    return std::unexpected(std::move(report.error()));
  }
  if (is_replaced(snapshot->process)) {
    model.replace(pid_, "the process has become another program: " + describe_command(snapshot->process));
  }
  if (model.status() == WatchStatus::kStarting) {
    notice_until_ = now + kNoticeSeconds;
  } else if (model.status() != WatchStatus::kLive || now >= notice_until_) {
    model.set_status(WatchStatus::kLive, "");
  }
  known_ = snapshot->process;
  // Before the report joins the model, where it counts the pauses of all looks.
  const double pause = report->capture.mode == CaptureMode::kStopped ? report->capture.pause_seconds : 0;
  if (snapshot->runtime) sampler_ = std::make_unique<LightSampler>(*target_, std::move(*snapshot->runtime), std::move(snapshot->process));
  // What may be over in a moment is no alarm until a second look confirms it: that one follows soon after the first.
  const bool is_doubtful = looks_ == 0 && !options_.no_pause && has_momentary_findings(*report);
  model.add_report(std::move(*report));
  // A stop counts once the time has passed over which it is spread.
  pauses_.note(now, last_pause_);
  last_pause_ = pause;
  last_full_ = now;
  ++looks_;
  pacing_.note_full(processor_seconds() - cpu_before, pause);
  // Stops that follow each other soon are made up for by a longer wait after them.
  pauses_paid_ = std::max(pauses_paid_, now) + pause / options_.limits.pause_share;
  next_full_ = is_doubtful ? now + kSecondLook : std::max(now + pacing_.full_interval(), pauses_paid_);
  next_light_ = monotonic_seconds();
  return {};
}

void ProcessWatch::take_light_sample(double now, ProcessModel& model) {
  const double cpu_before = processor_seconds();
  const auto sample = sampler_->take();
  pacing_.note_light(processor_seconds() - cpu_before);
  next_light_ = now + pacing_.light_interval();
  if (sample) {
    failures_ = 0;
    light_problem_.clear();
    light_samples_.note(now, 1);
    model.add_sample(*sample);
    return;
  }
  if (sample.error().kind == ErrorKind::kNoProcess) next_full_ = now;  // which says what happened
  if (++failures_ >= kMostFailures) {
    light_problem_ = sample.error().what;
    sampler_.reset();  // until the next full look
  }
}

bool ProcessWatch::step(double now, ProcessModel& model) {
  if (is_over_) return false;
  if (now >= next_full_) {
    (void)look(now, model);  // the model says what went wrong
    return true;
  }
  if (sampler_ && now >= next_light_) take_light_sample(now, model);
  return false;
}

WatchCosts ProcessWatch::costs(double now) const {
  WatchCosts costs;
  costs.last_pause = last_pause_;
  // After the first look, what it will have been when the next one is due.
  costs.pause_share = looks_ > 1 ? pauses_.share(last_full_) : last_pause_ / pacing_.full_interval();
  costs.full_interval = pacing_.full_interval();
  costs.light_rate = light_samples_.share(now);
  costs.light_problem = light_problem_;
  costs.no_pause = options_.no_pause;
  return costs;
}

}  // namespace asyncspy
