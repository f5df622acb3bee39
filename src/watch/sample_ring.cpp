#include "sample_ring.h"

namespace asyncspy {

void SampleRing::add(double now, const LightLoop& loop) {
  while (!samples_.empty() && (samples_.size() >= kMostSamples || samples_.front().seconds < now - seconds_)) samples_.pop_front();
  IncidentSample& sample = samples_.emplace_back(IncidentSample{now, loop});
  std::vector<LightFrame>& stack = sample.loop.stack;
  if (stack.size() > kMostFrames) stack.erase(stack.begin(), stack.end() - kMostFrames);
}

std::vector<IncidentSample> SampleRing::since(double now, Address loop) const {
  std::vector<IncidentSample> wanted;
  for (const IncidentSample& sample : samples_) {
    if (sample.seconds < now - seconds_ || (!loop.is_null() && sample.loop.id != loop)) continue;
    wanted.push_back(sample);
    wanted.back().seconds -= now;
  }
  return wanted;
}

}  // namespace asyncspy
