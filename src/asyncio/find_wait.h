// What a task finally waits for.
#pragma once

#include <unordered_set>

#include "read_loop.h"
#include "read_task.h"

namespace asyncspy {

struct WaitContext {
  const Asyncio& asyncio;
  const LoopIndex& index;
  const std::unordered_set<Address>& tasks;  // all tasks of the report
  std::optional<double> now;                 // loop time, seconds
};

[[nodiscard]] Wait find_wait(Inspection& inspection, const WaitContext& context, const RawTask& raw);

}  // namespace asyncspy
