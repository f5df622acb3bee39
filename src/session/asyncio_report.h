// Loops and tasks of a report.
#pragma once

#include <cstddef>

#include "report.h"
#include "runtime.h"
#include "thread_report.h"

namespace asyncspy {

// What a task's part of a report takes on the heap, in bytes: the task, what is needed to report it, its stack and name, and its timer.
inline constexpr std::size_t kHeapRoomForTask = 736;

// `locals` as for report_threads. Adds the loops and tasks of all interpreters to the report, and joins them with its threads.
void report_asyncio(Inspection& inspection, const std::vector<Interpreter>& interpreters, ThreadReport& threads,
                    const Snapshot& snapshot, LocalsReader* locals, Report& report);

}  // namespace asyncspy
