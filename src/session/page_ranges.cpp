#include "page_ranges.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace asyncspy {
namespace {

// Objects made between scouting and freezing lie near those that were there: whole blocks are copied, within a bound. Where
// nothing of Python ran meanwhile there are none.
constexpr std::uint64_t kBlockPages = 16;
constexpr std::uint64_t kMaxExpandedPages = 16'384;  // 64 MiB
constexpr std::uint64_t kStackPages = 2;             // above each thread's stack pointer

using Numbers = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // [first, last) page numbers

// The mapping that the page lies in, if it is one of an allocator; or null.
const Mapping* find_data(std::uint64_t page, const std::vector<Mapping>& mappings) {
  auto at = std::upper_bound(mappings.begin(), mappings.end(), page * kPageSize,
                             [](std::uint64_t address, const Mapping& mapping) { return address < mapping.end.value(); });
  bool is_private_data = at != mappings.end() && at->start.value() <= page * kPageSize && at->writable && at->inode == 0;
  return is_private_data ? &*at : nullptr;
}

void add_block(Numbers& pages, std::uint64_t first, std::uint64_t last, const std::vector<Mapping>& mappings) {
  if (const Mapping* at = find_data(first, mappings)) {
    first = std::max(first / kBlockPages * kBlockPages, at->start.value() / kPageSize);
    last = std::min((last + kBlockPages - 1) / kBlockPages * kBlockPages, std::max(last, at->end.value() / kPageSize));
  }
  pages.emplace_back(first, last);
}

std::vector<PageRange> merge(Numbers pages) {
  std::sort(pages.begin(), pages.end());
  std::vector<PageRange> merged;
  std::uint64_t end = 0;
  for (auto [first, last] : pages) {
    if (merged.empty() || first > end) {
      merged.push_back({Address{first * kPageSize}, last - first});
      end = last;
    } else if (last > end) {
      merged.back().pages += last - end;
      end = last;
    }
  }
  return merged;
}

}  // namespace

std::uint64_t count_pages(const std::vector<PageRange>& ranges) {
  std::uint64_t total = 0;
  for (const PageRange& range : ranges) total += range.pages;
  return total;
}

std::vector<PageRange> unite(const std::vector<PageRange>& a, const std::vector<PageRange>& b) {
  Numbers pages;
  for (const auto* ranges : {&a, &b}) {
    for (const PageRange& range : *ranges) {
      pages.emplace_back(range.start.value() / kPageSize, range.start.value() / kPageSize + range.pages);
    }
  }
  return merge(std::move(pages));
}

std::vector<PageRange> widen(const std::vector<PageRange>& ranges, const std::vector<Mapping>& mappings, Motion motion) {
  const std::uint64_t total = count_pages(ranges);
  Numbers pages;
  for (const PageRange& range : ranges) {
    std::uint64_t first = range.start.value() / kPageSize;
    if (motion == Motion::kMoving && total <= kMaxExpandedPages) {
      add_block(pages, first, first + range.pages, mappings);
    } else {
      pages.emplace_back(first, first + range.pages);
    }
  }
  return merge(std::move(pages));
}

std::vector<PageRange> extend(const std::vector<PageRange>& ranges, std::uint64_t pages, const std::vector<Mapping>& mappings) {
  Numbers extended;
  for (const PageRange& range : ranges) {
    const std::uint64_t first = range.start.value() / kPageSize;
    std::uint64_t last = first + range.pages;
    if (const Mapping* at = find_data(last - 1, mappings)) last = std::min(last + pages, at->end.value() / kPageSize);
    extended.emplace_back(first, last);
  }
  return merge(std::move(extended));
}

std::vector<PageRange> find_obtainable(Target& target, const std::vector<PageRange>& missed) {
  if (missed.empty()) return {};
  auto process = target.read_process();
  if (!process) return missed;
  Numbers pages;
  for (const PageRange& range : missed) {
    std::uint64_t first = range.start.value() / kPageSize;
    for (const Mapping& mapping : process->mappings) {
      std::uint64_t from = std::max(first, mapping.start.value() / kPageSize);
      std::uint64_t to = std::min(first + range.pages, mapping.end.value() / kPageSize);
      if (mapping.readable && from < to) pages.emplace_back(from, to);
    }
  }
  return merge(std::move(pages));
}

std::vector<PageRange> find_missing_stacks(const std::vector<ThreadFacts>& threads, RecordingMemory& memory) {
  Numbers pages;
  for (const ThreadFacts& thread : threads) {
    if (!thread.registers) continue;
    const std::uint64_t first = thread.registers->stack_pointer / kPageSize;
    for (std::uint64_t number = first; number < first + kStackPages; ++number) {
      if (!memory.has_page(number)) pages.emplace_back(number, number + 1);
    }
  }
  return merge(std::move(pages));
}

Result<std::vector<PageRange>> find_full_ranges(Target& target, const std::vector<Mapping>& mappings) {
  ASYNCSPY_TRY(ranges, target.find_written_pages(mappings));
  const std::uint64_t pages = count_pages(ranges);
  const long machine = ::sysconf(_SC_PHYS_PAGES);
  if (machine > 0 && pages > static_cast<std::uint64_t>(machine) / 2) {
    return fail(ErrorKind::kUsage, fmt::format("--full: takes {} MiB, more than half of this machine's memory", pages * kPageSize >> 20),
                "leave --full out, or write a core file with gcore");
  }
  return std::move(ranges);
}

}  // namespace asyncspy
