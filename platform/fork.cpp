#include "fork.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "file_descriptor.h"
#include "procfs.h"
#include "system_files.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostBytes = 4096;

using RandomBytes = std::array<std::byte, 16>;

std::optional<std::uint64_t> find_random_address(std::string_view vector) {
  for (std::size_t at = 0; at + sizeof(Elf64_auxv_t) <= vector.size(); at += sizeof(Elf64_auxv_t)) {
    Elf64_auxv_t entry;
    std::memcpy(&entry, vector.data() + at, sizeof entry);
    if (entry.a_type == AT_RANDOM) return entry.a_un.a_val;
  }
  return std::nullopt;
}

std::optional<RandomBytes> read_random(int pid, std::uint64_t address) {
  const FileDescriptor memory(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  RandomBytes bytes;
  if (!memory || ::pread(memory.get(), bytes.data(), bytes.size(), static_cast<off_t>(address)) != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  return bytes;
}

}  // namespace

int find_fork_parent(int pid, std::string_view auxiliary_vector) {
  const auto stat = read_process_stat(std::to_string(pid));
  const auto address = find_random_address(auxiliary_vector);
  if (!stat || stat->parent <= 0 || !address) return 0;
  const FileText of_parent = read_system_file("/proc/" + std::to_string(stat->parent) + "/auxv", kMostBytes);
  if (!of_parent.ok || find_random_address(of_parent.text) != address) return 0;
  const auto own = read_random(pid, *address);
  return own && own == read_random(stat->parent, *address) ? stat->parent : 0;
}

}  // namespace asyncspy
