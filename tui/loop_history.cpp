#include "loop_history.h"

#include <algorithm>
#include <cmath>

namespace asyncspy {
namespace {

bool executes(const LightLoop& loop) { return loop.state == LoopState::kRunning || loop.state == LoopState::kBlocked; }

bool is_same_step(const LightLoop& before, const LightLoop& after) {
  return executes(before) && executes(after) && before.task == after.task && before.callback == after.callback && before.stack == after.stack;
}

}  // namespace

void LoopHistory::add(double time, const LightLoop& loop) {
  const bool same = samples_ > 0 && is_same_step(last_, loop);
  if (!same) step_since_ = time;
  last_ = loop;
  last_time_ = time;
  ++samples_;
  const auto second = static_cast<std::int64_t>(std::floor(time));
  if (seconds_.empty() || seconds_.back().second < second) seconds_.push_back({.second = second});
  while (seconds_.back().second - seconds_.front().second >= kHistorySeconds) seconds_.pop_front();
  Second& now = seconds_.back();
  ++now.samples;
  if (loop.state != LoopState::kUnknown && loop.state != LoopState::kNotRunning) ++now.told;
  if (!executes(loop)) return;
  ++now.executing;
  now.worst = std::max(now.worst, in_step_seconds());
}

std::optional<double> LoopHistory::utilisation() const {
  std::uint64_t told = 0;
  std::uint64_t executing = 0;
  for (const Second& each : seconds_) told += each.told, executing += each.executing;
  if (told == 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(executing) / static_cast<double>(told));
}

double LoopHistory::in_step_seconds() const {
  if (samples_ == 0 || !executes(last_)) return 0;
  return std::max(last_time_ - step_since_, last_.late.value_or(0));
}

std::vector<std::optional<double>> LoopHistory::lags() const {
  std::vector<std::optional<double>> values(kHistorySeconds);
  if (seconds_.empty()) return values;
  const std::int64_t first = seconds_.back().second - kHistorySeconds + 1;
  for (const Second& each : seconds_) {
    if (each.second >= first) values[static_cast<std::size_t>(each.second - first)] = each.worst;
  }
  return values;
}

std::string render_sparkline(const std::vector<std::optional<double>>& values, SparklineStyle style) {
  static constexpr std::array<const char*, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<const char*, 8> kAscii{"_", ".", ",", "-", "=", "+", "*", "#"};
  static constexpr std::array<double, 7> kLimits{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10};  // seconds
  std::string text;
  for (const std::optional<double>& value : values) {
    if (!value) {
      text += ' ';
      continue;
    }
    const auto level = static_cast<std::size_t>(std::ranges::upper_bound(kLimits, *value) - kLimits.begin());
    text += (style == SparklineStyle::kBlocks ? kBlocks : kAscii)[level];
  }
  return text;
}

}  // namespace asyncspy
