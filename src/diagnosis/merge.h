// One cause, one finding: what another finding explains already is left out.
#pragma once

#include <vector>

#include "finding.h"

namespace asyncspy {

void merge_findings(std::vector<Finding>& findings);

}  // namespace asyncspy
