#include "recording_memory.h"

#include <algorithm>
#include <cstring>

namespace asyncspy {
namespace {

constexpr std::size_t kFirstPages = 512;      // 2 MiB
constexpr std::size_t kSmallChunks = 8;       // of pages fetched singly: many readers need only few
constexpr std::size_t kSmallChunkPages = 64;
constexpr std::size_t kChunkPages = 512;      // fills a huge page
constexpr std::uint64_t kSlicePages = 1024;  // 4 MiB: as much is lost at most when a copy ends before its time

std::vector<PageRange> to_ranges(std::vector<std::uint64_t>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  std::vector<PageRange> ranges;
  std::uint64_t end = 0;  // page number after the last range
  for (std::uint64_t number : numbers) {
    if (!ranges.empty() && number < end) continue;
    if (!ranges.empty() && number == end) {
      ranges.back().pages += 1;
    } else {
      ranges.push_back({Address{number * kPageSize}, 1});
    }
    end = number + 1;
  }
  return ranges;
}

}  // namespace

std::byte* RecordingMemory::new_page() {
  if (free_pages_ == 0) {
    free_pages_ = storage_.size() < kSmallChunks ? kSmallChunkPages : kChunkPages;
    storage_.emplace_back(free_pages_ * kPageSize);
    free_page_ = storage_.back().bytes();
  }
  --free_pages_;
  std::byte* page = free_page_;
  free_page_ += kPageSize;
  return page;
}

const std::byte* RecordingMemory::find_stored(std::uint64_t number) const {
  auto after = std::upper_bound(ranges_.begin(), ranges_.end(), number,
                                [](std::uint64_t page, const StoredRange& range) { return page < range.first; });
  if (after != ranges_.begin()) {
    const StoredRange& range = *std::prev(after);
    if (range.readable && number - range.first < range.pages) return range.bytes + (number - range.first) * kPageSize;
  }
  auto single = pages_.find(number);
  return single == pages_.end() ? nullptr : single->second;
}

const std::byte* RecordingMemory::find_page(std::uint64_t number) {
  if (const std::byte* stored = find_stored(number)) return stored;
  BulkMemory* source = source_;
  if (source == nullptr && is_constant(number)) source = constant_source_;
  if (source == nullptr) {
    missed_.push_back(number);
    return nullptr;
  }
  if (pages_.contains(number)) return nullptr;  // known to be unreadable
  std::byte* bytes = new_page();
  bool readable = source->read(Address{number * kPageSize}, {bytes, kPageSize}).has_value();
  if (!readable) {
    free_page_ -= kPageSize;
    ++free_pages_;
  }
  pages_.emplace(number, readable ? bytes : nullptr);
  if (readable && fetched_first_.size() < kFirstPages) fetched_first_.push_back(number);
  return readable ? bytes : nullptr;
}

void RecordingMemory::attach_constant(BulkMemory& source, std::vector<PageRange> ranges) {
  constant_source_ = &source;
  constant_ = std::move(ranges);
}

void RecordingMemory::detach() {
  source_ = nullptr;
  constant_source_ = nullptr;
}

bool RecordingMemory::is_constant(std::uint64_t number) const {
  if (constant_source_ == nullptr) return false;
  auto after = std::upper_bound(constant_.begin(), constant_.end(), number, [](std::uint64_t page, const PageRange& range) {
    return page < range.start.value() / kPageSize;
  });
  if (after == constant_.begin()) return false;
  const PageRange& range = *std::prev(after);
  return number - range.start.value() / kPageSize < range.pages;
}

Result<void> RecordingMemory::read(Address from, std::span<std::byte> into) {
  std::uint64_t at = from.value();
  if (at + into.size() < at) return fail(ErrorKind::kUnreadable, "memory beyond the address space", {}, from);
  while (!into.empty()) {
    std::uint64_t number = at / kPageSize;
    Translation& known = translations_[number % kTranslations];
    if (known.number != number) {
      const std::byte* bytes = find_page(number);
      if (bytes == nullptr) return fail(ErrorKind::kUnreadable, "memory is not readable", {}, Address{at});
      known = {number, bytes};
    }
    std::uint64_t offset = at % kPageSize;
    std::size_t here = std::min<std::size_t>(into.size(), kPageSize - offset);
    std::memcpy(into.data(), known.bytes + offset, here);
    into = into.subspan(here);
    at += here;
  }
  return {};
}

void RecordingMemory::add_range(std::uint64_t first, std::uint64_t last, bool urgent, std::byte*& at) {
  while (first < last) {
    const std::uint64_t pages = std::min(last - first, kSlicePages);
    ranges_.push_back({.first = first, .pages = pages, .bytes = at, .urgent = urgent});
    at += pages * kPageSize;
    first += pages;
  }
}

void RecordingMemory::prepare(const std::vector<PageRange>& ranges, const std::vector<PageRange>& urgent) {
  std::uint64_t total = 0;
  for (const PageRange& range : ranges) total += range.pages;
  if (total == 0) return;
  blocks_.emplace_back(total * kPageSize);
  blocks_.back().touch();  // the copy into it then takes no page faults
  std::byte* at = blocks_.back().bytes();
  auto next = urgent.begin();
  for (const PageRange& range : ranges) {
    std::uint64_t first = range.start.value() / kPageSize;
    const std::uint64_t last = first + range.pages;
    for (; next != urgent.end() && next->start.value() / kPageSize < last; ++next) {
      const std::uint64_t from = std::max(first, next->start.value() / kPageSize);
      const std::uint64_t to = std::min(last, next->start.value() / kPageSize + next->pages);
      if (from >= to) continue;
      add_range(first, from, false, at);
      add_range(from, to, true, at);
      first = to;
    }
    add_range(first, last, false, at);
  }
  std::sort(ranges_.begin(), ranges_.end(), [](const StoredRange& a, const StoredRange& b) { return a.first < b.first; });
}

void RecordingMemory::fill(BulkMemory& from) {
  std::vector<RangeRead> reads;
  std::vector<StoredRange*> filling;
  for (const bool urgent : {true, false}) {
    for (StoredRange& range : ranges_) {
      if (range.filled || range.urgent != urgent) continue;
      range.filled = true;
      reads.push_back({Address{range.first * kPageSize}, {range.bytes, range.pages * kPageSize}, false});
      filling.push_back(&range);
    }
  }
  from.read_ranges(reads);
  for (std::size_t i = 0; i < reads.size(); ++i) {
    filling[i]->readable = reads[i].ok;
    // Some page of the range is not readable: the others still count.
    for (std::uint64_t page = 0; !reads[i].ok && page < filling[i]->pages; ++page) {
      std::byte* bytes = filling[i]->bytes + page * kPageSize;
      std::uint64_t number = filling[i]->first + page;
      bool readable = from.read(Address{number * kPageSize}, {bytes, kPageSize}).has_value();
      if (readable) pages_[number] = bytes;
    }
  }
  translations_.assign(kTranslations, {});
}

std::vector<PageRange> RecordingMemory::recorded() const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, bytes] : pages_) {
    if (bytes != nullptr) numbers.push_back(number);
  }
  std::vector<PageRange> all = to_ranges(numbers);
  for (const StoredRange& range : ranges_) {
    if (range.readable) all.push_back({Address{range.first * kPageSize}, range.pages});
  }
  std::ranges::sort(all, {}, &PageRange::start);
  std::vector<PageRange> joined;
  for (const PageRange& range : all) {
    if (!joined.empty() && joined.back().start + joined.back().pages * kPageSize == range.start) {
      joined.back().pages += range.pages;
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

std::vector<PageRange> RecordingMemory::take_missed() {
  std::vector<PageRange> ranges = to_ranges(missed_);
  missed_.clear();
  return ranges;
}

std::vector<PageRange> RecordingMemory::fetched_first() const {
  std::vector<std::uint64_t> numbers = fetched_first_;
  return to_ranges(numbers);
}

std::uint64_t RecordingMemory::bytes() const {
  std::uint64_t pages = 0;
  for (const StoredRange& range : ranges_) pages += range.readable ? range.pages : 0;
  for (const auto& [number, bytes] : pages_) pages += bytes != nullptr ? 1 : 0;
  return pages * kPageSize;
}

}  // namespace asyncspy
