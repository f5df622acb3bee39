// What the file descriptors of a process are.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "process_facts.h"

namespace asyncspy {

// The kind that the link of /proc/PID/fd/N tells.
[[nodiscard]] Descriptor::Kind classify_descriptor(std::string_view link);

// 456 of "socket:[456]".
[[nodiscard]] std::optional<std::uint64_t> parse_socket_inode(std::string_view link);

// In the order asked; kUnknown for one that is not open. Reads each table once for all.
[[nodiscard]] std::vector<Descriptor> read_descriptors(int pid, const std::vector<int>& numbers);

}  // namespace asyncspy
