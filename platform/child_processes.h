// The children of a process.
#pragma once

#include <vector>

#include "process_facts.h"

namespace asyncspy {

// By pid. Bounded; empty when procfs does not tell.
[[nodiscard]] std::vector<ChildProcess> read_child_processes(int pid);

}  // namespace asyncspy
