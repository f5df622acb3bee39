// Which pages of a live process it has written: /proc/PID/pagemap.
#pragma once

#include <vector>

#include "bulk_memory.h"
#include "process_facts.h"

namespace asyncspy {

// Pages of private writable mappings that are in memory or swapped out and are not (any more) those of a file.
[[nodiscard]] Result<std::vector<PageRange>> find_written_pages(int pid, const std::vector<Mapping>& mappings);

}  // namespace asyncspy
