// The step that a loop executes when it does not get any further, and what its thread does meanwhile.
//
// Judged by what the thread does, not by the names of functions: the system call that it sleeps in, the lock or result that it
// waits for, the processor that it uses. A step that is only being executed, as every step is, is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report.h"

namespace asyncspy {

enum class Hold : std::uint8_t {
  kSystemCall,  // asleep in a system call
  kLock,        // asleep for a lock, a condition or the end of a thread
  kResult,      // asleep in result() of a concurrent future
  kProcessor,   // computes, and the loop is provably late
  kInterpreterLock,  // waits for the GIL, and the loop is provably late
};

struct BlockedStep {
  std::size_t loop = 0;            // index into Report::loops
  const Thread* thread = nullptr;
  const Task* task = nullptr;      // null: a callback
  Hold hold = Hold::kSystemCall;
  std::vector<Frame> stack;        // of the step: outermost first
  std::optional<std::size_t> own;  // in `stack`: the program's own innermost frame, or the innermost coroutine where all are of libraries
};

[[nodiscard]] std::vector<BlockedStep> find_blocked_steps(const Report& report);

// "requests.api.get": the library function that the program's own frame called. Where that is built in and has no frame,
// what the system call says of it: "time.sleep". Empty: its own code.
[[nodiscard]] std::string name_call(const Report& report, const BlockedStep& step);

}  // namespace asyncspy
