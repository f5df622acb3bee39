// Loops and tasks of a report.
#pragma once

#include "report.h"
#include "runtime.h"
#include "thread_report.h"

namespace asyncspy {

// `locals` as for report_threads. Adds the loops and tasks of all interpreters to the report, and joins them with its threads.
void report_asyncio(Inspection& inspection, const std::vector<Interpreter>& interpreters, ThreadReport& threads,
                    const Snapshot& snapshot, LocalsReader* locals, Report& report);

}  // namespace asyncspy
