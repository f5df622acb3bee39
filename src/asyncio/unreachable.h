// Pending tasks that the garbage collector is going to destroy: asyncio itself keeps tasks by weak references only.
//
// A task, the future that it awaits, its wake-up among that future's callbacks, and its coroutines refer to each other. When
// the reference counts of all of them are just these references, nothing else in the process can reach any of them: nobody can
// complete the future, and the next collection of its generation destroys the task ("Task was destroyed but it is pending!").
#pragma once

#include "find_asyncio.h"
#include "read_task.h"

namespace asyncspy {

// False also whenever anything of it can not be told. For tasks of the C accelerator that await a future of it directly.
[[nodiscard]] bool is_unreachable(Inspection& inspection, const Asyncio& asyncio, const RawTask& raw);

}  // namespace asyncspy
