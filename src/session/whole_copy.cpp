#include "whole_copy.h"

#include <algorithm>
#include <tuple>

#include "analyse.h"

// A scout reads every object that a report needs, one page at a time, while the process runs; afterwards most of it is
// copied once more during the stop. That is worth it where the tasks are a small part of a large process: the pause is
// short then. Where the tasks are what the process consists of, the scout doubles the work and leaves out almost nothing.
//
// So the tasks are counted, which is cheap, and all written memory is copied where that is little for so many tasks. (An
// idle task with its coroutines, its future and its timer takes one to two KiB.)

namespace asyncspy {
namespace {

constexpr std::uint64_t kPagesOfMiddle = 12'288;  // 48 MiB: copied in about ten milliseconds; up to here many pages are little for a task
constexpr std::uint64_t kPagesPerTask = 4;
constexpr std::uint64_t kPagesPerTaskOfMany = 1;
constexpr std::uint64_t kTolerance = 4;  // of what was expected: a quarter more
constexpr std::uint64_t kGrowth = 4;  // pages that may be written until the stop, behind those that were

// The page map of more is long.
constexpr std::uint64_t kLeastMapped = 262'144;  // pages: 1 GiB
constexpr std::uint64_t kMappedPerResident = 4;

std::uint64_t count_mapped_pages(const std::vector<Mapping>& mappings) {
  std::uint64_t bytes = 0;
  for (const Mapping& mapping : mappings) {
    if (mapping.writable && !mapping.shared) bytes += mapping.end.value() - mapping.start.value();
  }
  return bytes / kPageSize;
}

// Data of programs and libraries that is not written yet is as in their files; it is little.
std::vector<PageRange> find_file_data(const std::vector<Mapping>& mappings) {
  std::vector<PageRange> ranges;
  for (const Mapping& mapping : mappings) {
    const bool is_data = mapping.readable && mapping.writable && !mapping.shared && mapping.inode != 0;
    const std::uint64_t pages = (mapping.end.value() - mapping.start.value()) / kPageSize;
    if (is_data && pages <= kPagesOfSmall) ranges.push_back({mapping.start, pages});
  }
  return ranges;
}

bool is_little(std::uint64_t pages, Snapshot& snapshot) {
  if (pages <= kPagesOfSmall) return true;
  const std::uint64_t enough = pages / (pages <= kPagesOfMiddle ? kPagesPerTask : kPagesPerTaskOfMany);
  return estimate_tasks(snapshot, enough) >= enough;
}

}  // namespace

std::optional<std::uint64_t> expect_whole_copy(Target& target, Snapshot& snapshot) {
  auto runtime = find_runtime(*snapshot.memory, snapshot.process.images);
  if (!runtime) return std::nullopt;  // the scout finds the words for it
  snapshot.runtime = std::move(*runtime);
  const std::uint64_t resident = snapshot.process.resident_bytes / kPageSize;
  const bool is_wanted = snapshot.wanted.heap;
  if (!is_wanted && count_mapped_pages(snapshot.process.mappings) > std::max(kLeastMapped, resident * kMappedPerResident)) return std::nullopt;
  const std::uint64_t expected = target.private_bytes() / kPageSize;  // known without a walk through the page tables
  if (!is_wanted && !is_little(expected, snapshot)) return std::nullopt;
  return expected;
}

std::optional<std::vector<PageRange>> find_whole_copy(Target& target, Snapshot& snapshot, std::uint64_t expected) {
  const std::vector<Mapping>& mappings = snapshot.process.mappings;
  auto written = target.find_written_pages(mappings);
  if (!written) return std::nullopt;
  const std::uint64_t pages = count_pages(*written);
  const bool is_more = pages > expected + expected / kTolerance;
  if (!snapshot.wanted.heap && is_more && !is_little(pages, snapshot)) return std::nullopt;
  std::ignore = visit_stacks(snapshot);  // they lead to files that are mapped
  return unite(unite(snapshot.memory->recorded(), find_file_data(mappings)), extend(*written, kGrowth, mappings));
}

}  // namespace asyncspy
