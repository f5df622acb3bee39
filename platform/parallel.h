// Work that several threads do together.
#pragma once

#include <cstddef>
#include <functional>

namespace asyncspy {

// Calls `work` in `threads` threads at once, this one included, and returns when all have done: in as many as the machine has
// processors, in four at the most, and in fewer where the system allows no more. Each call takes its share by itself. What one of
// them throws is thrown again here, after all have ended.
void work_together(std::size_t threads, const std::function<void()>& work);

}  // namespace asyncspy
