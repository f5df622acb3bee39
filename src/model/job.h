// A call that was given to a thread pool: run_in_executor, to_thread, or submit of concurrent.futures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "address.h"

namespace asyncspy {

enum class JobState : std::uint8_t {
  kUnknown,
  kQueued,   // no thread has begun it
  kRunning,  // on Job::thread
  kDone,
};

struct Job {
  Address id;  // its concurrent.futures.Future, or the future of anyio's worker
  JobState state = JobState::kUnknown;
  std::string function;       // qualified name of what is called, or empty
  std::int32_t thread = -1;   // index into Report::threads, -1: none
  Address executor;           // the executor or its queue, or null
  std::string executor_type;  // "ThreadPoolExecutor", or empty
  std::optional<std::uint64_t> ahead;    // kQueued: jobs before it in the queue
  std::optional<std::uint64_t> queued;   // jobs in the queue
  std::optional<std::uint64_t> workers;  // threads that take jobs from this queue
  std::optional<std::uint64_t> busy;     // of those, in a job
};

}  // namespace asyncspy
