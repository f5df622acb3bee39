// The light samples of the last seconds of one process, within bounds of memory.
#pragma once

#include <deque>
#include <vector>

#include "incident.h"

namespace asyncspy {

class SampleRing {
 public:
  explicit SampleRing(double seconds) : seconds_(seconds) {}

  void add(double now, const LightLoop& loop);

  // Those of the loop, or of all loops where it is null, with times relative to `now`.
  [[nodiscard]] std::vector<IncidentSample> since(double now, Address loop) const;

 private:
  static constexpr std::size_t kMostSamples = 2000;
  static constexpr std::size_t kMostFrames = 40;  // the innermost of each stack

  double seconds_;
  std::deque<IncidentSample> samples_;  // with absolute times
};

}  // namespace asyncspy
