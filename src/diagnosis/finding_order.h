// In which order findings are shown: what a person should read first comes first.
#pragma once

#include <vector>

#include "finding.h"

namespace asyncspy {

// The worst first, and of equally bad ones the surest. What is equal stays as it is: rules already come causes before consequences.
void sort_findings(std::vector<Finding>& findings);

}  // namespace asyncspy
