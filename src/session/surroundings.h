// What a report mentions and only the system can tell: what descriptors are, which children the process has. Looked up after
// the target runs again.
#pragma once

#include "snapshot.h"
#include "target.h"

namespace asyncspy {

// Asks the target for what the report mentions and the snapshot does not know yet.
void read_surroundings(Target& target, Snapshot& snapshot, const Report& report);

// Puts what the snapshot knows into the report.
void place_surroundings(const Snapshot& snapshot, Report& report);

}  // namespace asyncspy
