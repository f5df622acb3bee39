// Finds the asyncio of an interpreter: its module dictionaries and the classes that tasks are made of.
#pragma once

#include <optional>
#include <vector>

#include "inspection.h"
#include "runtime.h"
#include "threads.h"

namespace asyncspy {

struct Asyncio {
  std::int64_t interpreter = 0;
  Address interpreter_address;
  Address c_task;     // _asyncio.Task, or null without the accelerator
  Address py_task;    // asyncio.tasks._PyTask
  Address c_future;
  Address py_future;
  Address all_tasks;        // WeakSet (3.7-3.11), or null
  Address scheduled_tasks;  // WeakSet (3.12+), or null
  Address eager_tasks;      // set (3.12+), or null
  Address current_tasks;    // dict: loop -> task, or null
  Address accelerator;      // the module _asyncio, or null
};

// Whether an instance of the type is laid out as _asyncio.Future, whose members a task has, too; or as _asyncio.Task.
[[nodiscard]] bool is_c_future(const Asyncio& asyncio, const Type& type);
[[nodiscard]] bool is_c_task(const Asyncio& asyncio, const Type& type);

// Whether it is a task of asyncio's own two kinds, or of a class that is derived from one.
[[nodiscard]] bool is_task_type(const Asyncio& asyncio, const Type& type);

// Nothing when the interpreter has not imported asyncio.tasks.
[[nodiscard]] Result<std::optional<Asyncio>> find_asyncio(Inspection& inspection, const Interpreter& interpreter);

// Addresses of all tasks that asyncio knows of, without duplicates. What can not be read becomes a gap.
[[nodiscard]] std::vector<Address> find_tasks(Inspection& inspection, const Asyncio& asyncio,
                                              const std::vector<ThreadState>& threads, std::vector<Gap>& gaps);

// About how many tasks find_tasks() would find, without reading them: for decisions on a target that runs. Need not count
// beyond `most`.
[[nodiscard]] std::uint64_t count_tasks(Inspection& inspection, const Asyncio& asyncio, const std::vector<ThreadState>& threads,
                                        std::uint64_t most);

struct CurrentTask {
  Address loop;
  Address task;
};

// Which task each loop executes, from `_current_tasks` and, from 3.14 on, from the threads.
[[nodiscard]] std::vector<CurrentTask> find_current_tasks(Inspection& inspection, const Asyncio& asyncio,
                                                          const std::vector<ThreadState>& threads,
                                                          std::vector<Gap>& gaps);

// The loop that the thread runs, as asyncio.get_running_loop() would say there; null when it runs none.
// `namespace_pid` is the process id as the target sees it: a loop inherited over fork does not count.
[[nodiscard]] Address find_running_loop(Inspection& inspection, const ThreadState& thread, int namespace_pid);

}  // namespace asyncspy
