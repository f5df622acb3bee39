// Follows the loops of one running process without stopping it: looks at their ready queues as often as is wanted, and takes light
// samples where these are needed or affordable.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "light_sampler.h"
#include "live_target.h"
#include "loop_watch.h"
#include "sample_ring.h"
#include "watch_settings.h"

namespace asyncspy {

// Upper bounds of the buckets of the lag histogram, in seconds; one more bucket holds the rest.
inline constexpr std::array kLagBounds{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0};

// What was counted since the process is watched.
struct TargetCounts {
  std::uint64_t looks = 0;
  std::array<std::uint64_t, kLagBounds.size() + 1> lags{};  // samples by lag
  double lag_sum = 0;
  std::uint64_t stalls = 0;
  double stalled_seconds = 0;  // of stalls that have ended
};

struct LoopEvent {
  enum class Kind : std::uint8_t { kStallBegins, kStallEnds, kLags };
  Kind kind = Kind::kStallBegins;
  double seconds = 0;  // a lower bound
  LightLoop loop;      // as last seen
};

class TargetWatch {
 public:
  // `settings` must outlive this. Finds the interpreter; the process runs on.
  [[nodiscard]] static Result<TargetWatch> attach(int pid, const WatchSettings& settings, double now);

  // Whatever is due. Fails when the process has ended (kNoProcess) or can not be read for the time being; events that came before are
  // there nevertheless.
  [[nodiscard]] Result<void> look(double now, std::vector<LoopEvent>& events);

  // What is over because the process is no longer watched.
  void end(std::vector<LoopEvent>& events);

  [[nodiscard]] double next_due() const { return next_look_; }

  // The program in the process is another one by now.
  [[nodiscard]] bool is_replaced() const;

  // Whether a snapshot of ours may stop the process now: samples that find it stopped say nothing then, and forgive() tells for how
  // long. Whoever else stops it, ends its steps.
  void expect_stops(bool expected) { expects_stops_ = expected; }

  // A snapshot stopped the process for so long; `at` is a moment of that.
  void forgive(double at, double seconds);

  [[nodiscard]] const ProcessFacts& process() const { return process_; }
  [[nodiscard]] const std::string& python() const { return python_; }
  [[nodiscard]] const SampleRing& ring() const { return ring_; }
  [[nodiscard]] const TargetCounts& counts() const { return counts_; }
  [[nodiscard]] std::size_t loops() const { return loops_.size(); }
  [[nodiscard]] std::uint64_t ready() const;   // in all loops, as of the last samples
  [[nodiscard]] double stalled_now() const;    // seconds of stalls that last, summed over the loops

  // Every loop either moved since this exists, or idles: for `asyncspy check`.
  [[nodiscard]] bool is_lively() const;

 private:
  struct WatchedLoop {
    LoopWatch watch;
    std::optional<ReadyQueue> queue;
    LightLoop last;
    int late_samples = 0;  // in a row
    bool lags = false;     // and that was told
  };

  TargetWatch(int pid, const WatchSettings& settings) : pid_(pid), settings_(&settings), ring_(settings.ring) {}

  // Fails when memory of the queue can not be read or is none of a queue's.
  [[nodiscard]] Result<QueueCount> read_count(const WatchedLoop& loop);
  [[nodiscard]] bool look_at_queues(std::vector<LoopEvent>& events);
  [[nodiscard]] Result<void> sample(std::vector<LoopEvent>& events);
  void note_lag(double now, WatchedLoop& loop, std::vector<LoopEvent>& events);
  void note(const LoopWatch::Change& change, const WatchedLoop& loop, std::vector<LoopEvent>& events);
  void schedule(double now);

  int pid_;
  const WatchSettings* settings_;
  ProcessFacts process_;                   // without the mappings
  std::string python_;
  std::unique_ptr<LiveTarget> target_;     // before the sampler, which refers to it
  std::unique_ptr<LightSampler> sampler_;
  std::map<Address, WatchedLoop> loops_;
  SampleRing ring_;
  TargetCounts counts_;
  double next_look_ = 0;
  double next_sample_ = 0;   // for the ring, and to notice other loops
  double sample_cpu_ = 0;    // seconds that one costs
  double forget_at_ = 0;
  bool expects_stops_ = false;
  bool is_held_up_ = false;  // a sample that was due said nothing because of one
  int failures_ = 0;         // of samples, in a row
  double failing_since_ = 0;
};

}  // namespace asyncspy
