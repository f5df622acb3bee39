// Everything that `asyncspy top` shows: the watched processes, and what watching costs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "process_model.h"

namespace asyncspy {

struct WatchCosts {
  double last_pause = 0;         // seconds that it stood still for the last full look
  double pause_share = 0;        // of the time, that the shown process stood still
  double cpu_share = 0;          // of one core, that asyncspy used
  std::uint64_t memory_bytes = 0;  // of asyncspy
  double full_interval = 0;      // seconds
  double light_rate = 0;         // samples per second that were taken
  std::string light_problem;     // why there are none, or empty
  bool no_pause = false;
};

struct TopModel {
  std::vector<ProcessModel> processes;
  std::vector<WatchCosts> costs;  // beside the processes
  std::string waiting_for;        // a name for which the next process is awaited, or empty
};

}  // namespace asyncspy
