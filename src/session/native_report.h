// Native stacks on their way from a target into a report: what of the memory they need, their unwinding after the target
// runs again, and the threads that they belong to.
#pragma once

#include <vector>

#include "recording_memory.h"
#include "snapshot.h"
#include "target.h"

namespace asyncspy {

// The stacks of the threads from their stack pointers to their starts, each within a bound, and the kernel's code in the
// process; as far as they are not in `memory` yet.
[[nodiscard]] std::vector<PageRange> find_native_pages(const std::vector<ThreadFacts>& threads, const std::vector<Mapping>& mappings,
                                                       RecordingMemory& memory);

// Unwinds the stacks of all threads of the snapshot, naming functions by the files that the target has mapped.
void read_native_stacks(Target& target, Snapshot& snapshot);

// Puts the snapshot's native stacks into the report.
void place_native_stacks(const Snapshot& snapshot, Report& report);

}  // namespace asyncspy
