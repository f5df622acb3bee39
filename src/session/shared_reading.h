// Reads the tasks of an interpreter, and the loops that are known before them.
#pragma once

#include <span>
#include <vector>

#include "find_asyncio.h"
#include "read_loop.h"
#include "read_task.h"
#include "recording_memory.h"

namespace asyncspy {

struct TasksAndLoops {
  std::vector<Task> tasks;
  std::vector<RawTask> raw_tasks;  // beside tasks, to which they refer
  std::vector<RawLoop> loops;
  LoopIndex index;
};

// What is at these addresses, in their order. Many tasks are read by several threads, where `memory` is given: it is what the
// inspection reads. The result is the same, and so is the order of what is added to the inspection's functions and names; of
// those, one that no task and no loop refers to can be missing.
[[nodiscard]] TasksAndLoops read_tasks_and_loops(Inspection& inspection, const Asyncio& asyncio, RecordingMemory* memory,
                                                 std::span<const Address> tasks, std::span<const Address> loops);

}  // namespace asyncspy
