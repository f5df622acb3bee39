// Who holds a lock. asyncio does not record it; a suspended frame tells: between __aenter__ and __aexit__ of `async with` it
// keeps the lock's __aexit__ on its evaluation stack (Python/compile.c, compiler_async_with; Lib/asyncio/locks.py).
#pragma once

#include <vector>

#include "primitives.h"
#include "read_task.h"

namespace asyncspy {

// Enters the holders of all locks, semaphores and limiters in the table that tasks wait at. The tasks' waits must be known.
void find_holders(Inspection& inspection, const std::vector<RawTask>& raw_tasks, PrimitiveTable& primitives);

}  // namespace asyncspy
