// The mappings of a process: /proc/PID/maps as values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "process_facts.h"
#include "result.h"

namespace asyncspy {

// Lines that make no sense are left out.
[[nodiscard]] std::vector<Mapping> parse_process_maps(std::string_view text);

// What the kernel writes is ambiguous for files whose own name ends in " (deleted)" or has the characters \012 in it: which
// file there is decides.
[[nodiscard]] Result<std::vector<Mapping>> read_process_maps(int pid);

// Whether the file of this number is found under `path`, below the root of the process or, as maps of a process with
// another root show it, from here.
[[nodiscard]] bool is_path_of(int pid, const std::string& path, std::uint64_t inode);

}  // namespace asyncspy
