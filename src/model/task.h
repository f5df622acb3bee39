// An asyncio task, as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "address.h"
#include "frame.h"
#include "gap.h"
#include "wait.h"

namespace asyncspy {

enum class TaskState : std::uint8_t { kPending, kCancelled, kFinished, kUnknown };

// The nearest timeout that encloses what a task waits for.
struct Deadline {
  double when = 0;                  // loop time, seconds
  std::optional<double> remaining;  // seconds from the moment of the snapshot; negative: overdue
  std::string construct;            // "asyncio.timeout", "asyncio.wait_for", "anyio.CancelScope", or what its timer calls
};

inline constexpr std::uint32_t kNoFacts = 0xFFFFFFFF;

struct Task {
  Address id;  // address of the task object: an identity within one snapshot
  std::string name;
  TaskState state = TaskState::kUnknown;
  bool running = false;
  std::optional<bool> must_cancel;       // a cancellation will be thrown in at the next step
  std::optional<int> cancel_requests;    // 3.11+: cancel() calls not undone by uncancel()
  std::string type;                      // "_asyncio.Task", or the name of a subclass
  std::int32_t loop = -1;                // index into Report::loops, -1: not known
  std::vector<Frame> stack;              // outermost first, as in a Python traceback; what is awaited comes last
  Address awaited;                       // the future in _fut_waiter, or null
  std::uint32_t callbacks = 0;           // done callbacks registered on the task
  Wait wait;
  std::optional<Deadline> deadline;      // absent: no timeout was found around it
  std::uint32_t facts = kNoFacts;        // index into Report::facts
  // For so long it has been seen at this place in every sample, waiting for the same thing, in seconds: it may have moved and
  // come back in between. Absent: one sample only, or its clock is not known; 0: it was elsewhere in the sample before.
  std::optional<double> waiting_at_least;
  std::vector<Gap> gaps;
};

}  // namespace asyncspy
