// An event loop, as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "address.h"
#include "frame.h"
#include "gap.h"

namespace asyncspy {

enum class LoopState : std::uint8_t {
  kUnknown,     // no thread runs it as far as is known, or its state could not be read
  kNotRunning,  // created, but not inside run_forever
  kIdle,        // its thread waits in the selector
  kRunning,     // its thread executes a task step or a callback
  kBlocked,     // as kRunning, and the thread sleeps in a system call, or the loop is provably late
};

// Why we know that the loop is late: it was to run this at `deadline` and has not.
struct Lateness {
  double seconds = 0;  // a lower bound
  std::string evidence;  // "timer due at 1234.567", "timer in the ready queue"
};

struct Timer {
  Address handle;
  std::optional<double> deadline;  // loop time in seconds; absent: kept as a number of a kind that is not read
  bool cancelled = false;
  std::uint32_t callback = kNoFunction;  // index into Report::names: its qualified name, or the empty one
};

struct Loop {
  Address id;
  std::string type;
  std::int32_t thread = -1;  // index into Report::threads, -1: none
  LoopState state = LoopState::kUnknown;
  Address current_task;      // null: none
  std::string current_callback;  // kRunning without a task: what the handle calls, or empty
  std::optional<Lateness> late;
  std::optional<std::uint64_t> ready;  // handles in the ready queue; absent: could not be read
  std::vector<Timer> timers;           // in heap order, cancelled ones included
  std::vector<int> descriptors;        // watched by the selector
  std::optional<bool> debug;
  std::vector<Gap> gaps;
};

}  // namespace asyncspy
