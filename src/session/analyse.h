// Turns copied bytes into a report: a pure function, which can be run again on a stored snapshot.
#pragma once

#include "report.h"
#include "snapshot.h"

namespace asyncspy {

// Reads only what the threads execute right now, for the sake of the pages that this needs. Failures do not matter here.
void visit_stacks(Snapshot& snapshot);

[[nodiscard]] Result<Report> analyse(Snapshot& snapshot);

}  // namespace asyncspy
