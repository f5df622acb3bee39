// What the running loops of a process execute at one moment: little, as a value, and cheap enough to be taken many times a second.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "address.h"
#include "loop.h"

namespace asyncspy {

struct LightFrame {
  std::string function;  // qualified
  std::string file;
  int line = 0;

  bool operator==(const LightFrame&) const = default;
};

struct LightLoop {
  Address id;
  int tid = 0;
  char thread_state = '?';             // see proc(5)
  LoopState state = LoopState::kUnknown;
  Address task;                        // that it executes, or null
  std::string callback;                // that it executes without a task, or empty
  std::optional<double> late;          // seconds, a lower bound
  std::optional<std::uint64_t> ready;
  std::optional<double> next_timer;    // seconds from now; negative: overdue
  std::string call;                    // system call in which its thread sleeps, or empty
  std::vector<LightFrame> stack;       // of what it executes, outermost first; empty when it executes nothing
  bool runs_handle = false;            // what it executes was taken from its ready queue
};

struct LightSample {
  double time = 0;  // seconds of the target's CLOCK_MONOTONIC
  std::vector<LightLoop> loops;
};

}  // namespace asyncspy
