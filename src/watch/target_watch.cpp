#include "target_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "own_cost.h"
#include "system_files.h"

namespace asyncspy {
namespace {

constexpr double kSampleShare = 0.003;     // of one core, for samples that nothing calls for
constexpr double kSlowestSample = 1;       // seconds from one to the next
constexpr double kForgetInterval = 30;     // seconds: what was learned of code is read anew
constexpr double kHeldInterval = 0.001;    // seconds: a stop of ours came in the way of a sample that was due; stops are short
constexpr double kFailingSeconds = 5;      // samples fail for so long: the process can not be read
constexpr int kCountAttempts = 4;
constexpr int kAttachAttempts = 5;
constexpr int kLateSamples = 2;            // in a row: it is no accident
constexpr std::size_t kMostLoops = 64;

bool may_be_torn(const Error& error) { return error.kind == ErrorKind::kCorrupt || error.kind == ErrorKind::kUnreadable; }

}  // namespace

Result<TargetWatch> TargetWatch::attach(int pid, const WatchSettings& settings, double now) {
  TargetWatch watch(pid, settings);
  for (int attempt = 1;; ++attempt) {
    ASYNCSPY_TRY(target, LiveTarget::attach(pid));
    ASYNCSPY_TRY(process, target->read_process());
    auto runtime = find_runtime(target->memory(), process.images);
    if (!runtime && (attempt == kAttachAttempts || !may_be_torn(runtime.error()))) return std::unexpected(std::move(runtime.error()));
    if (!runtime) continue;  // it moved meanwhile
    watch.target_ = std::move(target);
    watch.python_ = runtime->version;
    watch.process_ = process;
    watch.process_.mappings.clear();
    watch.process_.images.clear();
    watch.sampler_ = std::make_unique<LightSampler>(*watch.target_, std::move(*runtime), std::move(process));
    break;
  }
  watch.next_look_ = watch.next_sample_ = now;
  watch.forget_at_ = now + kForgetInterval;
  return watch;
}

Result<QueueCount> TargetWatch::read_count(const WatchedLoop& loop) {
  for (int attempt = 1;; ++attempt) {
    auto count = read_queue_count(target_->memory(), sampler_->layout(), *loop.queue);
    if (!count || loop.watch.fits(*count) || attempt == kCountAttempts) return count;
  }
}

void TargetWatch::note(const LoopWatch::Change& change, const WatchedLoop& loop, std::vector<LoopEvent>& events) {
  if (change.stall_ended) {
    counts_.stalled_seconds += *change.stall_ended;
    events.push_back({LoopEvent::Kind::kStallEnds, *change.stall_ended, loop.last});
  }
  if (change.stall_begins) {
    ++counts_.stalls;
    events.push_back({LoopEvent::Kind::kStallBegins, loop.watch.step_seconds(), loop.last});
  }
}

// False: what was read makes no sense.
bool TargetWatch::look_at_queues(std::vector<LoopEvent>& events) {
  for (auto& [id, loop] : loops_) {
    if (!loop.queue) continue;
    const auto count = read_count(loop);
    if (!count) return false;
    note(loop.watch.note_queue(monotonic_seconds(), *count), loop, events);
  }
  return true;
}

void TargetWatch::note_lag(double now, WatchedLoop& loop, std::vector<LoopEvent>& events) {
  const double late = loop.last.late.value_or(0);
  const double lag = std::max(late, loop.watch.step_seconds());
  ++counts_.lags[static_cast<std::size_t>(std::ranges::lower_bound(kLagBounds, lag) - kLagBounds.begin())];
  counts_.lag_sum += lag;
  ring_.add(now, loop.last);
  // A loop that stays in one step is late, too, but that is told as a stall.
  const bool is_late = settings_->lag > 0 && late > settings_->lag && !(settings_->stall > 0 && loop.watch.step_seconds() >= settings_->lag);
  loop.late_samples = is_late ? loop.late_samples + 1 : 0;
  if (loop.lags && late < settings_->lag / 2) loop.lags = false;
  if (loop.lags || loop.late_samples < kLateSamples || loop.watch.is_stalled()) return;
  loop.lags = true;
  events.push_back({LoopEvent::Kind::kLags, late, loop.last});
}

Result<void> TargetWatch::sample(std::vector<LoopEvent>& events) {
  const double now = monotonic_seconds();  // after the queues were read, and before anything else is
  const double cpu_before = thread_processor_seconds();
  if (now >= forget_at_) {
    sampler_->forget();
    forget_at_ = now + kForgetInterval;
  }
  auto taken = sampler_->take();
  const double cpu = thread_processor_seconds() - cpu_before;
  sample_cpu_ = sample_cpu_ == 0 ? cpu : sample_cpu_ + 0.25 * (cpu - sample_cpu_);
  next_sample_ = now + std::clamp(sample_cpu_ / kSampleShare, settings_->interval, kSlowestSample);
  if (!taken) return std::unexpected(std::move(taken.error()));
  for (auto known = loops_.begin(); known != loops_.end();) {
    const bool gone = std::ranges::find(taken->loops, known->first, &LightLoop::id) == taken->loops.end();
    if (gone) note(known->second.watch.end(), known->second, events);
    known = gone ? loops_.erase(known) : std::next(known);
  }
  for (const LightLoop& seen : taken->loops) {
    auto known = loops_.find(seen.id);
    if (known == loops_.end()) {
      if (loops_.size() >= kMostLoops) continue;
      auto queue = sampler_->find_ready_queue(seen.id);
      known = loops_.emplace(seen.id, WatchedLoop{LoopWatch(now, settings_->stall, queue && queue->takes_all), {}, {}}).first;
      if (queue) known->second.queue = *queue;
    }
    WatchedLoop& loop = known->second;
    loop.last = seen;
    bool is_of_one_step = true;  // nothing was taken while the sample was
    if (loop.queue) {
      const auto count = read_count(loop);
      if (!count) continue;
      const bool had_count = loop.watch.has_count();
      const std::uint64_t steps = loop.watch.steps();
      note(loop.watch.note_queue(monotonic_seconds(), *count), loop, events);
      is_of_one_step = had_count && loop.watch.steps() == steps;
    }
    const bool is_held = expects_stops_ && seen.thread_state == 't';
    if (is_held && !loop.watch.is_stalled() && loop.watch.sample_due() <= now) is_held_up_ = true;
    if (is_of_one_step && !is_held) note(loop.watch.note_sample(now, seen), loop, events);
    note_lag(now, loop, events);
  }
  return {};
}

void TargetWatch::schedule(double now) {
  next_look_ = now + (is_held_up_ ? std::min(kHeldInterval, settings_->interval) : settings_->interval);
  for (const auto& [id, loop] : loops_) {
    for (const double due : {loop.watch.sample_due(), loop.watch.stall_due()}) {
      if (due > now) next_look_ = std::min(next_look_, due);
    }
  }
}

Result<void> TargetWatch::look(double now, std::vector<LoopEvent>& events) {
  ++counts_.looks;
  is_held_up_ = false;
  const bool readable = look_at_queues(events);
  const bool due = std::ranges::any_of(loops_, [&](const auto& each) { return each.second.watch.sample_due() <= now; });
  Result<void> done;
  if (!readable || due || now >= next_sample_) {
    done = sample(events);
    if (done) {
      failures_ = 0;
    } else if (failures_++ == 0) {
      failing_since_ = now;
    }
  }
  schedule(now);
  if (!done && done.error().kind != ErrorKind::kNoProcess && now - failing_since_ < kFailingSeconds) return {};  // it moves: soon again
  return done;
}

void TargetWatch::end(std::vector<LoopEvent>& events) {
  for (auto& [id, loop] : loops_) note(loop.watch.end(), loop, events);
  loops_.clear();
}

// An exec keeps number and start time; what the kernel tells a new program at its start differs.
bool TargetWatch::is_replaced() const {
  constexpr std::size_t kMostBytes = 4096;
  const FileText now = read_system_file(fmt::format("/proc/{}/auxv", pid_), kMostBytes);
  return now.ok && !now.text.empty() && now.text != process_.auxiliary_vector;
}

void TargetWatch::forgive(double at, double seconds) {
  for (auto& [id, loop] : loops_) loop.watch.forgive(at, seconds);
}

std::uint64_t TargetWatch::ready() const {
  std::uint64_t sum = 0;
  for (const auto& [id, loop] : loops_) sum += loop.last.ready.value_or(0);
  return sum;
}

double TargetWatch::stalled_now() const {
  double sum = 0;
  for (const auto& [id, loop] : loops_) sum += loop.watch.is_stalled() ? loop.watch.step_seconds() : 0;
  return sum;
}

bool TargetWatch::is_lively() const {
  return std::ranges::all_of(loops_, [](const auto& each) { return each.second.watch.has_idled() || each.second.watch.has_moved(); });
}

}  // namespace asyncspy
