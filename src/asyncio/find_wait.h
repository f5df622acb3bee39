// What a task finally waits for.
#pragma once

#include "completion_index.h"
#include "jobs.h"
#include "primitives.h"
#include "read_loop.h"
#include "read_task.h"
#include "represent.h"
#include "transports.h"

namespace asyncspy {

// What all tasks of an interpreter share while their waits are found; the tables collect what was met.
struct WaitContext {
  const Asyncio& asyncio;
  const LoopIndex& index;
  const AddressSet& tasks;                   // all tasks of the report
  std::optional<double> now;                 // loop time, seconds
  CompletionIndex& completions;
  Transports& transports;
  PrimitiveTable& primitives;
  JobTable& jobs;
  Representer& representer;
};

[[nodiscard]] Wait find_wait(Inspection& inspection, const WaitContext& context, const RawTask& raw);

// The nearest timeout around the task's wait.
[[nodiscard]] std::optional<Deadline> find_deadline(const WaitContext& context, const RawTask& raw);

// The task that will complete this concurrent.futures.Future (run_coroutine_threadsafe), or null.
[[nodiscard]] Address find_submitted_task(const WaitContext& context, Address job);

}  // namespace asyncspy
