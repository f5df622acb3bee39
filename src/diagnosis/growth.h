// What several looks at a process show to grow: tasks that are started and do not end.
#pragma once

#include "report.h"

namespace asyncspy {

// Adds a finding of P18 to `last` for each group of tasks that has grown since `first`, of which no task has ended.
void add_growth_findings(const Report& first, Report& last);

}  // namespace asyncspy
