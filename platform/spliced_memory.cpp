#include "spliced_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace asyncspy {
namespace {

constexpr int kMostBetween = 64;  // mappings between that of a file's beginning and another of the same file

// Fills `into`; what lies behind the end of the file on its last page reads as zeros, as in a mapping.
bool read_file(int file, std::uint64_t offset, std::span<std::byte> into) {
  bool any = false;
  while (!into.empty()) {
    const ssize_t got = ::pread(file, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) {
      const bool is_on_last_page = any || offset % kPageSize != 0;
      if (!is_on_last_page || into.size() >= kPageSize) return false;
      std::ranges::fill(into, std::byte{0});
      return true;
    }
    any = true;
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace

const Mapping* SplicedMemory::find_mapping(Address address) const {
  const auto after = std::ranges::upper_bound(mappings_, address, {}, &Mapping::start);
  if (after == mappings_.begin()) return nullptr;
  const Mapping& mapping = *std::prev(after);
  return address < mapping.end ? &mapping : nullptr;
}

const Mapping* SplicedMemory::find_first(const Mapping& mapping) const {
  auto at = static_cast<std::size_t>(&mapping - mappings_.data());
  for (int steps = 0; steps < kMostBetween; ++steps, --at) {
    if (mappings_[at].path == mapping.path && mappings_[at].file_offset == 0) return &mappings_[at];
    if (at == 0) break;
  }
  return nullptr;
}

int SplicedMemory::find_file(const Mapping& mapping) {
  const auto [entry, added] = open_files_.try_emplace(&mapping);
  if (added) entry->second = files_.open({&mapping, find_first(mapping)});
  return entry->second.get();
}

std::size_t SplicedMemory::read_part(Address from, std::span<std::byte> into) {
  const CoreSegment* segment = core_.find_segment(from);
  if (segment != nullptr) {
    const std::uint64_t offset = from.value() - segment->start.value();
    if (offset < segment->stored) {
      const std::size_t size = std::min<std::uint64_t>(into.size(), segment->stored - offset);
      return core_.read_stored(from, into.first(size)) ? size : 0;
    }
    if (offset < segment->promised) return 0;  // cut off: the process had written there, the file says nothing of it
  }
  const Mapping* mapping = find_mapping(from);
  if (mapping == nullptr || mapping->inode == 0) return 0;
  const int file = find_file(*mapping);
  if (file < 0) return 0;
  const std::uint64_t offset = from.value() - mapping->start.value();
  const std::size_t size = std::min<std::uint64_t>(into.size(), mapping->end.value() - from.value());
  return read_file(file, mapping->file_offset + offset, into.first(size)) ? size : 0;
}

Result<void> SplicedMemory::read(Address from, std::span<std::byte> into) {
  while (!into.empty()) {
    const std::size_t done = read_part(from, into);
    if (done == 0) {
      return fail(ErrorKind::kUnreadable, fmt::format("memory at {:#x} is not in the core", from.value()), {}, from);
    }
    into = into.subspan(done);
    from = from + done;
  }
  return {};
}

}  // namespace asyncspy
