// What is wrong with a process, as far as its report tells: every rule of the catalogue, the worst and surest first.
#pragma once

#include <vector>

#include "finding.h"
#include "report.h"

namespace asyncspy {

// Pure: reads nothing but the report, and needs none of its former findings.
[[nodiscard]] std::vector<Finding> diagnose(const Report& report);

}  // namespace asyncspy
