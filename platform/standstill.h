// Whether a process stands still by itself: stopped by a signal or by another debugger, or frozen with its control group.
//
// Such a process is read as it is. To stop it again would gain nothing, can take for ever (a frozen thread does not answer
// until it is thawed), and could be noticed by whoever holds it.
#pragma once

#include <memory>

#include "target.h"

namespace asyncspy {

// Null when some thread runs, or could.
[[nodiscard]] std::unique_ptr<Standstill> find_standstill(int pid);

}  // namespace asyncspy
