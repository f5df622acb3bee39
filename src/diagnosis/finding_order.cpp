#include "finding_order.h"

#include <algorithm>

namespace asyncspy {

void sort_findings(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, [](const Finding& one, const Finding& other) {
    return one.severity != other.severity ? one.severity > other.severity : one.confidence < other.confidence;
  });
}

}  // namespace asyncspy
