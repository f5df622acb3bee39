// The mappings of a process: /proc/PID/maps as values.
#pragma once

#include <string_view>
#include <vector>

#include "process_facts.h"
#include "result.h"

namespace asyncspy {

// Lines that make no sense are left out.
[[nodiscard]] std::vector<Mapping> parse_process_maps(std::string_view text);

[[nodiscard]] Result<std::vector<Mapping>> read_process_maps(int pid);

}  // namespace asyncspy
