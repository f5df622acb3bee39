// Numbers that were computed, compared: Catch's own word for it has another name in each of its versions.
#pragma once

#include <algorithm>
#include <cmath>

namespace asyncspy {

inline bool is_near(double value, double wanted, double tolerance = 1e-6) { return std::abs(value - wanted) <= tolerance * std::max(1.0, std::abs(wanted)); }

}  // namespace asyncspy
