#include "memory_scan.h"

#include <algorithm>
#include <cstring>

namespace asyncspy {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;

struct Range {
  Address start;
  std::uint64_t size = 0;
  int rank = 0;
};

std::vector<Range> order_ranges(const std::vector<Mapping>& mappings) {
  std::vector<Range> ranges;
  const Mapping* before = nullptr;
  for (const Mapping& mapping : mappings) {
    const bool follows_data = before != nullptr && before->inode != 0 && before->end == mapping.start;
    before = &mapping;
    if (!mapping.readable || !mapping.writable || mapping.shared || mapping.end <= mapping.start) continue;
    const int rank = mapping.inode != 0 ? 0 : follows_data ? 1 : 2;
    ranges.push_back({mapping.start, mapping.end.value() - mapping.start.value(), rank});
  }
  std::ranges::stable_sort(ranges, {}, &Range::rank);
  return ranges;
}

class Scan {
 public:
  Scan(Memory& memory, std::uint64_t word, std::size_t most_places) : memory_(memory), word_(word), most_(most_places) {}

  void run(Address start, std::uint64_t size) {
    buffer_.resize(kChunk);
    for (std::uint64_t at = 0; at < size && !is_full(); at += kChunk) {
      const std::uint64_t length = std::min<std::uint64_t>(kChunk, size - at);
      if (look_at(start + at, length)) continue;
      for (std::uint64_t page = 0; page < length && !is_full(); page += kPageSize) {  // a hole: what lies around it
        look_at(start + at + page, std::min(kPageSize, length - page));
      }
    }
  }

  [[nodiscard]] bool is_full() const { return places_.size() >= most_; }
  [[nodiscard]] std::vector<Address> take() { return std::move(places_); }

 private:
  bool look_at(Address start, std::uint64_t length) {
    const auto bytes = std::span(buffer_).first(length);
    if (!memory_.read(start, bytes)) return false;
    for (std::uint64_t at = 0; at + sizeof(word_) <= length && !is_full(); at += sizeof(word_)) {
      if (std::memcmp(bytes.data() + at, &word_, sizeof(word_)) == 0) places_.push_back(start + at);
    }
    return true;
  }

  Memory& memory_;
  std::uint64_t word_;
  std::size_t most_;
  std::vector<std::byte> buffer_;
  std::vector<Address> places_;
};

}  // namespace

std::vector<Address> find_word(Memory& memory, const std::vector<Mapping>& mappings, std::uint64_t word,
                               std::uint64_t most_bytes, std::size_t most_places) {
  Scan scan(memory, word, most_places);
  for (const Range& range : order_ranges(mappings)) {
    if (most_bytes == 0 || scan.is_full()) break;
    const std::uint64_t size = std::min(range.size, most_bytes);
    most_bytes -= size;
    scan.run(range.start, size);
  }
  return scan.take();
}

}  // namespace asyncspy
