#include "recording_memory.h"

#include <algorithm>
#include <cstring>

namespace asyncspy {
namespace {

std::vector<PageRange> to_ranges(std::vector<std::uint64_t>& numbers, std::uint64_t join) {
  std::sort(numbers.begin(), numbers.end());
  std::vector<PageRange> ranges;
  std::uint64_t end = 0;  // page number after the last range
  for (std::uint64_t number : numbers) {
    if (!ranges.empty() && number < end) continue;
    if (!ranges.empty() && number - end <= join) {
      ranges.back().pages += number - end + 1;
    } else {
      ranges.push_back({Address{number * kPageSize}, 1});
    }
    end = number + 1;
  }
  return ranges;
}

}  // namespace

std::byte* RecordingMemory::page_bytes(std::uint32_t index) {
  return chunks_[index / kPagesPerChunk].bytes.get() + std::uint64_t{index % kPagesPerChunk} * kPageSize;
}

std::uint32_t RecordingMemory::add_page() {
  if (page_count_ / kPagesPerChunk == chunks_.size()) {
    chunks_.push_back({std::make_unique_for_overwrite<std::byte[]>(kPagesPerChunk * kPageSize)});
  }
  return page_count_++;
}

const std::byte* RecordingMemory::find_page(std::uint64_t number) {
  if (auto known = index_.find(number); known != index_.end()) {
    return known->second == kUnreadable ? nullptr : page_bytes(known->second);
  }
  if (source_ == nullptr) {
    missed_.push_back(number);
    return nullptr;
  }
  std::uint32_t page = add_page();
  std::byte* bytes = page_bytes(page);
  if (!source_->read(Address{number * kPageSize}, {bytes, kPageSize})) {
    --page_count_;
    index_[number] = kUnreadable;
    return nullptr;
  }
  index_[number] = page;
  return bytes;
}

Result<void> RecordingMemory::read(Address from, std::span<std::byte> into) {
  std::uint64_t at = from.value();
  if (at + into.size() < at) return fail(ErrorKind::kUnreadable, "memory beyond the address space", {}, from);
  while (!into.empty()) {
    std::uint64_t number = at / kPageSize;
    if (number != last_number_) {
      last_bytes_ = find_page(number);
      last_number_ = last_bytes_ == nullptr ? ~std::uint64_t{0} : number;
      if (last_bytes_ == nullptr) return fail(ErrorKind::kUnreadable, "memory is not readable", {}, Address{at});
    }
    std::uint64_t offset = at % kPageSize;
    std::size_t here = std::min<std::size_t>(into.size(), kPageSize - offset);
    std::memcpy(into.data(), last_bytes_ + offset, here);
    into = into.subspan(here);
    at += here;
  }
  return {};
}

void RecordingMemory::prepare(const std::vector<PageRange>& ranges) {
  // A range is cut at chunk boundaries of the store, so that each read fills contiguous memory.
  for (const PageRange& range : ranges) {
    std::uint64_t number = range.start.value() / kPageSize;
    for (std::uint64_t left = range.pages; left > 0;) {
      std::uint32_t first = add_page();
      std::uint64_t here = std::min<std::uint64_t>(left, kPagesPerChunk - first % kPagesPerChunk);
      for (std::uint64_t i = 1; i < here; ++i) add_page();
      std::span<std::byte> into(page_bytes(first), here * kPageSize);
      for (std::size_t at = 0; at < into.size(); at += kPageSize) into[at] = std::byte{0};
      pending_.push_back({Address{number * kPageSize}, into, false});
      pending_first_.push_back(first);
      number += here;
      left -= here;
    }
  }
}

void RecordingMemory::fill(BulkMemory& from) { from.read_ranges(pending_); }

void RecordingMemory::settle(BulkMemory& from) {
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const RangeRead& range = pending_[i];
    std::uint64_t number = range.from.value() / kPageSize;
    for (std::uint64_t page = 0; page < range.into.size() / kPageSize; ++page) {
      bool ok = range.ok;
      if (!ok) {  // some page of the range is not readable: the others still count
        ok = from.read(Address{(number + page) * kPageSize}, range.into.subspan(page * kPageSize, kPageSize)).has_value();
      }
      index_[number + page] = ok ? pending_first_[i] + static_cast<std::uint32_t>(page) : kUnreadable;
    }
  }
  pending_.clear();
  pending_first_.clear();
  last_number_ = ~std::uint64_t{0};
}

std::vector<PageRange> RecordingMemory::recorded(std::uint64_t join) const {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(index_.size());
  for (const auto& [number, page] : index_) {
    if (page != kUnreadable) numbers.push_back(number);
  }
  return to_ranges(numbers, join);
}

std::vector<PageRange> RecordingMemory::take_missed() {
  std::vector<PageRange> ranges = to_ranges(missed_, 0);
  missed_.clear();
  return ranges;
}

}  // namespace asyncspy
