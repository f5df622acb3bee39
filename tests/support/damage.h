// Damages memory at random, from a seed, mostly where an analysis looks.
#pragma once

#include <cstring>
#include <random>
#include <vector>

#include "recording_memory.h"
#include "stored_process.h"

namespace asyncspy {

struct ReadPlace {
  Address at;
  std::size_t size = 0;
};

// Counts the reads of an analysis and, for the first one, remembers where they went.
class CountedRecording final : public RecordingMemory {
 public:
  explicit CountedRecording(BulkMemory* source, std::vector<ReadPlace>* places = nullptr) : RecordingMemory(source), places_(places) {}
  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
    ++reads_;
    if (places_ != nullptr) places_->push_back({from, into.size()});
    return RecordingMemory::read(from, into);
  }
  [[nodiscard]] std::uint64_t reads() const { return reads_; }

 private:
  std::vector<ReadPlace>* places_;
  std::uint64_t reads_ = 0;
};

// Draws damage from a seed. Most of it hits bytes that the analysis of the whole copy read, and most of that what it read
// from place number `main_part` on: before that the interpreter was found and checked, in many reads.
class Damage {
 public:
  Damage(const std::vector<ReadPlace>& places, std::size_t main_part, std::uint64_t seed)
      : places_(places), main_part_(main_part), random_(seed) {
    main_only_ = draw(4) != 0;
  }

  void apply(StoredMemory& memory) {
    std::uint64_t count = 1 + draw(draw(4) == 0 ? 200 : 6);
    for (std::uint64_t i = 0; i < count; ++i) apply_one(memory);
  }

 private:
  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  Address any_place() {
    const std::size_t first = main_only_ ? main_part_ : 0;
    const ReadPlace& place = places_[first + draw(places_.size() - first)];
    return place.at + draw(std::max<std::size_t>(place.size, 1));
  }
  std::uint64_t any_page() { return any_place().value() / kPageSize; }

  template <class T>
  void put(StoredMemory& memory, Address at, T value) {
    PageBytes* page = memory.change(at.value() / kPageSize);
    std::size_t offset = at.value() % kPageSize;
    if (page != nullptr && offset + sizeof value <= kPageSize) std::memcpy(page->data() + offset, &value, sizeof value);
  }

  void apply_one(StoredMemory& memory) {
    Address at = any_place();
    Address word{at.value() & ~std::uint64_t{7}};
    constexpr std::uint64_t kOdd[] = {0, 1, ~std::uint64_t{0}, std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1, 0x5555'5555'5555'5556,
                                      1 << 20, 16'000'000, 0xFFFF'FFFF, 0x8000'0000, 64, 100'000};
    switch (draw(12)) {
      case 0: put(memory, at, static_cast<std::uint8_t>(draw(256))); break;
      case 1: put(memory, word, std::uint64_t{0}); break;
      case 2: put(memory, word, kOdd[draw(std::size(kOdd))]); break;
      case 3: put(memory, word, random_()); break;
      case 4: put(memory, word, any_place().value()); break;                          // a pointer into something else
      case 5: put(memory, word, any_place().value() & ~std::uint64_t{15}); break;
      case 6: put(memory, word, memory.read_value<std::uint64_t>(Address{any_place().value() & ~std::uint64_t{7}}).value_or(0)); break;
      case 7: put(memory, word, memory.read_value<std::uint64_t>(word).value_or(0) ^ (std::uint64_t{1} << draw(64))); break;
      case 8: put(memory, word, word.value()); break;                                 // points at itself
      case 9: if (draw(8) == 0) memory.remove(any_page()); break;
      case 10: if (draw(8) == 0) memory.swap(any_page(), any_page()); break;
      default:
        if (draw(8) != 0) break;
        if (PageBytes* page = memory.change(any_page())) {
          const bool zero = draw(2) == 0;
          for (std::byte& b : *page) b = zero ? std::byte{0} : static_cast<std::byte>(random_() & 0xFF);
        }
    }
  }

  const std::vector<ReadPlace>& places_;
  std::size_t main_part_;
  bool main_only_ = false;
  std::mt19937_64 random_;
};

}  // namespace asyncspy
