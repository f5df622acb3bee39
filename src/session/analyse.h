// Turns copied bytes into a report: a pure function, which can be run again on a stored snapshot.
#pragma once

#include "report.h"
#include "snapshot.h"

namespace asyncspy {

// The numbers of the threads that can execute Python: have a thread state, whether or not its stack could be read.
[[nodiscard]] std::vector<int> find_python_threads(const std::vector<Thread>& threads);

// Reads only what the threads execute right now, for the sake of the pages that this needs. Failures do not matter here. Returns
// find_python_threads() of them.
std::vector<int> visit_stacks(Snapshot& snapshot);

// About how many tasks there are; does not count beyond `most`.
[[nodiscard]] std::uint64_t estimate_tasks(Snapshot& snapshot, std::uint64_t most);

// The report without what is found out from the report alone, its groups and findings: for capture(), which analyses several times to
// learn what is missing, and while the process stands still.
[[nodiscard]] Result<Report> build_report(Snapshot& snapshot);

// The whole report.
[[nodiscard]] Result<Report> analyse(Snapshot& snapshot);

}  // namespace asyncspy
