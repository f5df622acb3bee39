// Tasks with equal stacks, put together: ten thousand equal tasks are one block.
#pragma once

#include <vector>

#include "report.h"

namespace asyncspy {

// Groups by state, stack (function and line of each frame) and kind of wait. Running tasks come first, then pending ones,
// then done ones; within these the largest group first.
[[nodiscard]] std::vector<TaskGroup> build_groups(const std::vector<Task>& tasks);

}  // namespace asyncspy
