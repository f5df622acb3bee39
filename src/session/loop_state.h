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
  std::size_t frames_below = 0;  // of a loop written in C: the frames that were there while it waited; 0: not known
};

// Where in the stack that begins which a loop written in C (uvloop) calls; the size of the stack: it calls nothing, or that is not known.
[[nodiscard]] std::size_t find_called_by_c_loop(const Inspection& inspection, const Thread& thread, std::size_t frames_below);

// Fills state, late and current_callback of a loop that `thread` runs.
void observe_loop(Inspection& inspection, const LoopObservation& observation, Loop& loop);

}  // namespace asyncspy
