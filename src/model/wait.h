// What a task finally waits for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "address.h"

namespace asyncspy {

// The task is being executed on its loop's thread right now.
struct Running {};

// Nothing holds it back: a step is in its loop's ready queue, or what it awaited is done.
struct Ready {
  std::string reason;  // "not started", "yielded (sleep(0))", "awaited future is done", "step is in the ready queue"
};

struct OnTask {
  Address task;
};

// A future of which nothing more is known.
struct OnFuture {
  Address future;
  std::string type;   // type name of the future
  std::string state;  // "pending", ...
};

// A timer of the loop completes the awaited future.
struct OnTimer {
  double deadline = 0;   // loop time, seconds (CLOCK_MONOTONIC for asyncio's own loops)
  std::optional<double> remaining;  // seconds from the moment of the snapshot; negative: overdue; absent: now is not known

  [[nodiscard]] bool is_overdue() const { return remaining && *remaining < 0; }
};

// A lock, semaphore, event, condition, queue, ... found as `self` of the asyncio frame that waits.
struct OnPrimitive {
  std::string kind;  // "Lock", "Semaphore", "Event", "Condition", "Queue", "Barrier", "StreamReader", ...
  std::string type;  // the object's own type name
  std::string operation;  // "acquire", "get", "put", "join", "wait", ...
  Address object;
};

// A descriptor that the loop's selector watches on behalf of the awaited future.
struct OnDescriptor {
  int descriptor = -1;
};

// Several awaitables at once: gather, wait.
struct OnMany {
  std::string construct;  // "gather", "wait"
  std::vector<Address> tasks;
  std::uint64_t pending = 0;
  std::uint64_t total = 0;
};

// What it waits for can not be told. `why` says what was seen.
struct Unknown {
  std::string why;
};

struct Done {};

using Wait = std::variant<Unknown, Done, Running, Ready, OnTask, OnFuture, OnTimer, OnPrimitive, OnDescriptor, OnMany>;

}  // namespace asyncspy
