// Which tasks could still take from a queue, or mark its items as done, although they do not wait at it: those that refer to it.
#pragma once

#include <vector>

#include "primitives.h"
#include "read_task.h"

namespace asyncspy {

// Adds the fact "referring_tasks" to queues at which tasks wait: how many pending tasks that do not wait at it have it in a local
// variable, or in an attribute of an object that is in one. Not where not all could be looked at. The tasks' waits must be known.
void count_queue_users(Inspection& inspection, const std::vector<RawTask>& raw_tasks, PrimitiveTable& primitives);

}  // namespace asyncspy
