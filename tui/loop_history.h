// What many samples of one loop tell together: how much of the time it executed something, how late it was in each second of
// the last minute, and since when it has been in the same step.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "light_sample.h"

namespace asyncspy {

inline constexpr int kHistorySeconds = 60;

class LoopHistory {
 public:
  void add(double time, const LightLoop& loop);

  [[nodiscard]] bool is_empty() const { return samples_ == 0; }
  [[nodiscard]] const LightLoop& last() const { return last_; }
  [[nodiscard]] double last_time() const { return last_time_; }
  [[nodiscard]] std::uint64_t samples() const { return samples_; }  // since the start

  // The share of the samples of the last minute in which it executed a step or a callback; absent: there are none, or it could
  // not be told for any of them.
  [[nodiscard]] std::optional<double> utilisation() const;

  // For so long every sample found it in the same step, of the same task at the same place; or how late it is, when that is
  // longer. 0: it executes nothing.
  [[nodiscard]] double in_step_seconds() const;

  // The greatest lag, or time in one step, of each second of the last minute, the latest last; absent: no sample in that second.
  [[nodiscard]] std::vector<std::optional<double>> lags() const;

 private:
  struct Second {
    std::int64_t second = 0;
    std::uint32_t samples = 0;
    std::uint32_t told = 0;       // of these, it was known whether it executed something
    std::uint32_t executing = 0;
    double worst = 0;
  };

  std::deque<Second> seconds_;
  LightLoop last_;
  double last_time_ = 0;
  double step_since_ = 0;
  std::uint64_t samples_ = 0;
};

enum class SparklineStyle : std::uint8_t { kBlocks, kAscii };

// One character for each value, on a scale of decades from 1 ms to 10 s; a blank where there is none.
[[nodiscard]] std::string render_sparkline(const std::vector<std::optional<double>>& values, SparklineStyle style);

}  // namespace asyncspy
