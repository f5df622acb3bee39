// Reads one task object, whichever class it is of.
#pragma once

#include "await_chain.h"
#include "find_asyncio.h"
#include "task.h"

namespace asyncspy {

// A task as stored, before its loop, its thread and what it waits for are worked out.
struct RawTask {
  Task& task;  // as it will be reported
  Address loop;
  bool is_in_c = false;  // laid out as _asyncio.Task
  AwaitChain chain;  // its frames and gaps are in `task`
};

// Never fails: members that can not be read become gaps of the task. `into` must stay where it is as long as the result is used.
[[nodiscard]] RawTask read_task(Inspection& inspection, const Asyncio& asyncio, Address object, Task& into);

// The state of any future or task; kUnknown when it is neither or can not be read.
[[nodiscard]] TaskState read_future_state(Inspection& inspection, const Asyncio& asyncio, Address future);

}  // namespace asyncspy
