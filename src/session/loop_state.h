// Is the loop blocked? What a loop's thread does now, and how late the loop provably is.
#pragma once

#include "inspection.h"
#include "read_loop.h"
#include "thread.h"

namespace asyncspy {

// A loop is called late from this on; less is what scheduling costs.
inline constexpr double kLateSeconds = 0.1;

struct LoopObservation {
  const RawLoop& raw;
  const Thread& thread;
  const std::vector<Address>& frame_addresses;  // beside thread.stack
  bool has_current_task = false;
  std::optional<double> now;  // loop time, seconds
};

// Fills state, late and current_callback of a loop that `thread` runs.
void observe_loop(Inspection& inspection, const LoopObservation& observation, Loop& loop);

}  // namespace asyncspy
