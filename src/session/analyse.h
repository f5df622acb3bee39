// Turns copied bytes into a report: a pure function, which can be run again on a stored snapshot.
#pragma once

#include "report.h"
#include "snapshot.h"

namespace asyncspy {

[[nodiscard]] Result<Report> analyse(Snapshot& snapshot);

}  // namespace asyncspy
