// A deadlock in words: every edge with task, lock and line, as one paragraph.
#pragma once

#include "case.h"
#include "finding.h"

namespace asyncspy {

// Without the id of the rule and the fix.
[[nodiscard]] Finding describe_deadlock(const Case& seen, const Deadlock& deadlock);

}  // namespace asyncspy
