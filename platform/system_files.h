// Reads the small files and links of procfs, whole and bounded.
#pragma once

#include <cstddef>
#include <string>

#include "file_descriptor.h"

namespace asyncspy {

inline constexpr std::size_t kMostFileBytes = std::size_t{256} << 20;

// `error` is the errno of the failing call; `ok` tells an empty file from one that can not be read.
struct FileText {
  bool ok = false;
  int error = 0;
  std::string text;
};

[[nodiscard]] FileText read_system_file(const std::string& path, std::size_t most = kMostFileBytes);

// The target of a symbolic link, or empty.
[[nodiscard]] std::string read_system_link(const std::string& path);

// Opens for reading only if it is a regular file, and never blocks on a pipe that was put in its place.
[[nodiscard]] FileDescriptor open_regular_file(const std::string& path);

}  // namespace asyncspy
