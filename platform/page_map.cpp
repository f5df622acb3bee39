#include "page_map.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "file_descriptor.h"

namespace asyncspy {
namespace {

// Documentation/admin-guide/mm/pagemap.rst
constexpr std::uint64_t kPresent = std::uint64_t{1} << 63;
constexpr std::uint64_t kSwapped = std::uint64_t{1} << 62;
constexpr std::uint64_t kFileOrShared = std::uint64_t{1} << 61;
constexpr std::uint64_t kGuard = std::uint64_t{1} << 58;  // since Linux 6.15; shows as swapped, and can not be read

constexpr std::size_t kEntriesAtOnce = 4096;

bool is_written(std::uint64_t entry) { return (entry & (kPresent | kSwapped)) != 0 && (entry & (kFileOrShared | kGuard)) == 0; }

void add_page(std::vector<PageRange>& ranges, std::uint64_t number) {
  const bool continues = !ranges.empty() && ranges.back().start.value() / kPageSize + ranges.back().pages == number;
  if (continues) {
    ranges.back().pages += 1;
  } else {
    ranges.push_back({Address{number * kPageSize}, 1});
  }
}

}  // namespace

Result<std::vector<PageRange>> find_written_pages(int pid, const std::vector<Mapping>& mappings) {
  const FileDescriptor file(::open(fmt::format("/proc/{}/pagemap", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return fail(errno == ENOENT ? ErrorKind::kNoProcess : ErrorKind::kPermission,
                fmt::format("process {}: the map of its pages can not be read: {}", pid, std::strerror(errno)),
                "leave --full out");
  }
  std::vector<PageRange> ranges;
  std::array<std::uint64_t, kEntriesAtOnce> entries{};
  for (const Mapping& mapping : mappings) {
    if (!mapping.writable || !mapping.readable || mapping.shared) continue;
    const std::uint64_t end = mapping.end.value() / kPageSize;
    for (std::uint64_t at = mapping.start.value() / kPageSize; at < end;) {
      const std::size_t wanted = std::min<std::uint64_t>(entries.size(), end - at) * sizeof(std::uint64_t);
      const ssize_t got = ::pread(file.get(), entries.data(), wanted, static_cast<off_t>(at * sizeof(std::uint64_t)));
      if (got < static_cast<ssize_t>(sizeof(std::uint64_t))) break;  // the mapping is gone
      const std::size_t count = static_cast<std::size_t>(got) / sizeof(std::uint64_t);
      for (std::size_t i = 0; i < count; ++i) {
        if (is_written(entries[i])) add_page(ranges, at + i);
      }
      at += count;
    }
  }
  return ranges;
}

}  // namespace asyncspy
