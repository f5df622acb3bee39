// A task that is read for a test, with the place that it needs.
#pragma once

#include <deque>

#include "read_task.h"

namespace asyncspy {

inline RawTask read_alone(Inspection& inspection, const Asyncio& asyncio, Address object) {
  static std::deque<Task> tasks;  // which stay where they are
  return read_task(inspection, asyncio, object, tasks.emplace_back());
}

}  // namespace asyncspy
