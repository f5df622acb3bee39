#include "recording_memory.h"

#include <algorithm>
#include <utility>

namespace asyncspy {
namespace {

constexpr std::size_t kFirstPages = 512;      // 2 MiB
constexpr std::size_t kSmallChunks = 8;       // of pages fetched singly: many readers need only few
constexpr std::size_t kSmallChunkPages = 64;
constexpr std::size_t kChunkPages = 512;      // fills a huge page
constexpr std::uint64_t kSlicePages = 1024;  // 4 MiB: several threads share the copy of what is longer

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
  while (free_pages_ == 0 && !room_.empty()) {
    free_page_ = room_.back().data();
    free_pages_ = room_.back().size() / kPageSize;
    room_.pop_back();
  }
  if (free_pages_ == 0) {
    free_pages_ = storage_.size() < kSmallChunks ? kSmallChunkPages : kChunkPages;
    storage_.emplace_back(free_pages_ * kPageSize);
    if (storage_.size() > 1) storage_.back().touch();  // most of it will be needed then
    free_page_ = storage_.back().bytes();
  }
  --free_pages_;
  std::byte* page = free_page_;
  free_page_ += kPageSize;
  return page;
}

const std::byte* RecordingMemory::find_copied(std::uint64_t number) const {
  auto after = std::upper_bound(ranges_.begin(), ranges_.end(), number,
                                [](std::uint64_t page, const StoredRange& range) { return page < range.first; });
  if (after == ranges_.begin()) return nullptr;
  const StoredRange& range = *std::prev(after);
  return range.filled && number - range.first < range.pages ? range.bytes + (number - range.first) * kPageSize : nullptr;
}

const std::byte* RecordingMemory::find_fetched(std::uint64_t number) const {
  auto single = pages_.find(number);
  return single == pages_.end() ? nullptr : single->second;
}

const std::byte* RecordingMemory::find_page(std::uint64_t number) {
  if (const std::byte* copied = find_copied(number)) return copied;
  const std::scoped_lock lock(fetching_);
  if (const std::byte* fetched = find_fetched(number)) return fetched;
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

class RecordingMemory::Reader final : public PagedMemory {
 public:
  explicit Reader(RecordingMemory& recording) : recording_(recording) {}

  [[nodiscard]] bool is_partial() const override { return recording_.is_partial(); }

 private:
  [[nodiscard]] const std::byte* find_page(std::uint64_t number) override { return recording_.find_page(number); }

  RecordingMemory& recording_;
};

std::unique_ptr<Memory> RecordingMemory::open_reader() { return std::make_unique<Reader>(*this); }

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

void RecordingMemory::start_over() {
  if (!storage_.empty()) storage_.front().touch();
  for (PageBlock& block : storage_) blocks_.push_back(std::move(block));
  storage_.clear();
  free_page_ = nullptr;
  free_pages_ = 0;
  room_.clear();
  for (PageBlock& block : blocks_) room_.emplace_back(block.bytes(), block.size() / kPageSize * kPageSize);
  ranges_.clear();
  pages_.clear();
  missed_.clear();
  fetched_first_.clear();
  forget_places();
  detach();
}

void RecordingMemory::add_range(std::uint64_t first, std::uint64_t last, bool urgent) {
  while (first < last) {
    while (room_.back().empty()) room_.pop_back();
    std::span<std::byte>& room = room_.back();
    const std::uint64_t pages = std::min({last - first, kSlicePages, std::uint64_t{room.size() / kPageSize}});
    ranges_.push_back({.first = first, .pages = pages, .bytes = room.data(), .urgent = urgent});
    room = room.subspan(pages * kPageSize);
    first += pages;
  }
}

void RecordingMemory::add_room(PageBlock touched) {
  room_.emplace_back(touched.bytes(), touched.size() / kPageSize * kPageSize);
  blocks_.push_back(std::move(touched));
}

std::uint64_t RecordingMemory::room() const {
  std::uint64_t bytes = 0;
  for (const auto& left : room_) bytes += left.size();
  return bytes;
}

void RecordingMemory::prepare(const std::vector<PageRange>& ranges, const std::vector<PageRange>& urgent) {
  std::uint64_t total = 0;
  for (const PageRange& range : ranges) total += range.pages * kPageSize;
  if (total > room()) {
    PageBlock more(total - room());
    more.touch();  // the copy into it then takes no page faults
    add_room(std::move(more));
  }
  auto next = urgent.begin();
  for (const PageRange& range : ranges) {
    std::uint64_t first = range.start.value() / kPageSize;
    const std::uint64_t last = first + range.pages;
    for (; next != urgent.end() && next->start.value() / kPageSize < last; ++next) {
      const std::uint64_t from = std::max(first, next->start.value() / kPageSize);
      const std::uint64_t to = std::min(last, next->start.value() / kPageSize + next->pages);
      if (from >= to) continue;
      add_range(first, from, false);
      add_range(from, to, true);
      first = to;
    }
    add_range(first, last, false);
  }
  std::sort(ranges_.begin(), ranges_.end(), [](const StoredRange& a, const StoredRange& b) { return a.first < b.first; });
}

// Falls into the stop of the target: what was prepared is in order and stays so, unless some of it can not be read.
void RecordingMemory::fill(BulkMemory& from) {
  std::vector<StoredRange*> filling;
  for (const bool urgent : {true, false}) {
    for (StoredRange& range : ranges_) {
      if (!range.filled && range.urgent == urgent) filling.push_back(&range);
    }
  }
  std::vector<StoredRange> behind = fill_ranges(from, filling);
  if (!behind.empty()) {
    filling.clear();
    for (StoredRange& range : behind) filling.push_back(&range);
    for (const StoredRange& range : fill_ranges(from, filling)) fill_singly(from, range);
    ranges_.insert(ranges_.end(), behind.begin(), behind.end());
    std::ranges::sort(ranges_, {}, &StoredRange::first);
  }
  std::erase_if(ranges_, [](const StoredRange& range) { return range.pages == 0; });
  forget_places();
}

// A range that can not be read to its end is cut off there. Returned is what lies behind the page at which it ended.
std::vector<RecordingMemory::StoredRange> RecordingMemory::fill_ranges(BulkMemory& from, const std::vector<StoredRange*>& filling) {
  std::vector<RangeRead> reads;
  for (const StoredRange* range : filling) reads.push_back({Address{range->first * kPageSize}, {range->bytes, range->pages * kPageSize}});
  from.read_ranges(reads);
  std::vector<StoredRange> behind;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    StoredRange& range = *filling[i];
    range.filled = true;
    if (reads[i].ok) continue;
    const std::uint64_t good = reads[i].good / kPageSize;
    const std::uint64_t pages = std::exchange(range.pages, good);
    StoredRange rest{.first = range.first + good, .pages = 1, .bytes = range.bytes + good * kPageSize, .urgent = range.urgent};
    fill_singly(from, rest);  // at which it ended: not every source knows where that is
    rest.first += 1;
    rest.pages = pages - good - 1;
    rest.bytes += kPageSize;
    if (rest.pages > 0) behind.push_back(rest);
  }
  return behind;
}

void RecordingMemory::fill_singly(BulkMemory& from, const StoredRange& range) {
  for (std::uint64_t page = 0; page < range.pages; ++page) {
    std::byte* bytes = range.bytes + page * kPageSize;
    const std::uint64_t number = range.first + page;
    if (from.read(Address{number * kPageSize}, {bytes, kPageSize})) pages_[number] = bytes;
  }
}

std::vector<PageRange> RecordingMemory::recorded() const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, bytes] : pages_) {
    if (bytes != nullptr) numbers.push_back(number);
  }
  std::vector<PageRange> all = to_ranges(numbers);
  for (const StoredRange& range : ranges_) {
    if (range.filled) all.push_back({Address{range.first * kPageSize}, range.pages});
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
  for (const StoredRange& range : ranges_) pages += range.filled ? range.pages : 0;
  for (const auto& [number, bytes] : pages_) pages += bytes != nullptr ? 1 : 0;
  return pages * kPageSize;
}

}  // namespace asyncspy
