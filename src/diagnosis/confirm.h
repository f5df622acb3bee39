// Findings that may be over in a moment, held against an earlier look at the same process.
//
// A connection that is waited for, a cancelled task that cleans up, a lock that is taken for an instant: one look at a healthy
// process can meet any of these. What is found twice, at the same place of the same task, which has not moved, is no such moment.
#pragma once

#include "report.h"

namespace asyncspy {

[[nodiscard]] bool has_momentary_findings(const Report& report);

// Findings of `after` that may be over in a moment and are not in `before`, too, become notes; what both have says so.
void confirm_findings(const Report& before, Report& after);

}  // namespace asyncspy
