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
  // Through what: "await", "shield", "wait_for", "run_coroutine_threadsafe" (in another loop), "TaskGroup", ...
  std::string construct = "await";
};

// A future of which nothing more is known.
struct OnFuture {
  Address future;
  std::string type;   // type name of the future
  std::string state;  // "pending", ...
  // What most probably completes it, or empty: "fd 7, the transport of self in Connection.fetch".
  std::string inferred{};
  std::int32_t descriptor = -1;  // as inferred, -1: none
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
  Address object;          // one of Report::primitives
};

// A descriptor that the loop's selector watches on behalf of the awaited future. What it is: Report::descriptors.
struct OnDescriptor {
  int descriptor = -1;
  std::string operation{};  // "sock_recv", "sock_connect", or the function that is called when it is ready; or empty
};

// Several awaitables at once: gather, wait, as_completed, TaskGroup.
struct OnMany {
  std::string construct;        // "gather", "wait", "as_completed", "TaskGroup"
  std::vector<Address> tasks;   // pending ones
  std::uint64_t pending = 0;    // tasks and other futures
  std::uint64_t total = 0;      // with those that are done, as far as they are still known
  std::uint64_t failed = 0;     // of those that are done: ended with an exception
  std::string failure{};        // the first of these exceptions: "ValueError: boom"
  std::vector<Address> jobs{};  // of Report::jobs: the first of the pending ones that are calls in other threads
  Address group{};              // of a TaskGroup: one of Report::primitives
};

// A call in another thread: run_in_executor, to_thread, anyio.to_thread.
struct OnJob {
  Address job;  // one of Report::jobs
};

// The end of a child process.
struct OnProcess {
  int pid = 0;  // as the target sees it; more in Report::children, when the kernel knows it
  std::string operation;  // "wait", "communicate"
  std::optional<int> exit_status{};  // when asyncio knows it: the child has ended, and what is waited for is something else of it
};

// What it waits for can not be told. `why` says what was seen.
struct Unknown {
  std::string why;
};

struct Done {};

using Wait = std::variant<Unknown, Done, Running, Ready, OnTask, OnFuture, OnTimer, OnPrimitive, OnDescriptor, OnMany, OnJob,
                          OnProcess>;

}  // namespace asyncspy
