#include "mapped_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <string>

#include "system_files.h"

namespace asyncspy {
namespace {

constexpr std::size_t kComparedBytes = 1024;  // holds the headers and, as linkers order sections, the build id

// Whether `file` begins as the image in memory does. The inode alone is not enough: file systems in layers show another
// one in maps than in stat, and a file that was written over keeps it.
bool is_same_file(int file, const MappedFile& wanted, Memory& memory) {
  std::array<std::byte, kComparedBytes> mapped{};
  if (wanted.first == nullptr || !memory.read(wanted.first->start, mapped)) {
    struct stat facts {};
    return ::fstat(file, &facts) == 0 && facts.st_ino == wanted.anchor->inode;
  }
  std::array<std::byte, kComparedBytes> stored{};
  const ssize_t got = ::pread(file, stored.data(), stored.size(), 0);
  return got > 0 && std::memcmp(mapped.data(), stored.data(), static_cast<std::size_t>(got)) == 0;
}

}  // namespace

FileDescriptor LiveMappedFiles::open(const MappedFile& file) {
  const Mapping& anchor = *file.anchor;
  // The kernel's own link names exactly the mapped file, even deleted, but needs a capability of the host.
  const std::array paths = {
      fmt::format("/proc/{}/map_files/{:x}-{:x}", pid_, anchor.start.value(), anchor.end.value()),
      fmt::format("/proc/{}/root{}", pid_, anchor.path),
      anchor.path,
  };
  for (const std::string& path : paths) {
    FileDescriptor opened = open_regular_file(path);
    if (opened && is_same_file(opened.get(), file, memory_)) return opened;
  }
  return {};
}

}  // namespace asyncspy
