// What the file descriptors of a process are.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "process_facts.h"

namespace asyncspy {

// The kind that the link of /proc/PID/fd/N tells.
[[nodiscard]] Descriptor::Kind classify_descriptor(std::string_view link);

// 456 of "socket:[456]".
[[nodiscard]] std::optional<std::uint64_t> parse_socket_inode(std::string_view link);

// What /proc/PID/fdinfo/N says of the file behind a descriptor.
struct OpenFile {
  std::uint64_t inode = 0;
  int mount = 0;
};
[[nodiscard]] std::optional<OpenFile> parse_open_file(std::string_view text);

// In the order asked; kUnknown for one that is not open. Reads each table once for all.
[[nodiscard]] std::vector<Descriptor> read_descriptors(int pid, const std::vector<int>& numbers);

}  // namespace asyncspy
