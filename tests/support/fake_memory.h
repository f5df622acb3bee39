// Sparse memory that a test builds byte by byte. What was never written can not be read, byte-exact: a reader that takes
// one byte too many is caught.
#pragma once

#include <array>
#include <bitset>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "bulk_memory.h"

namespace asyncspy {

class FakeMemory final : public BulkMemory {
 public:
  // Room of `size` zero bytes at the next free place, which is 16-byte aligned; unwritable gaps lie between places.
  Address allocate(std::size_t size) {
    Address place = next_;
    next_ = Address{(next_.value() + size + 64 + 15) & ~std::uint64_t{15}};
    fill(place, size, std::byte{0});
    return place;
  }

  template <class T>
    requires std::is_trivially_copyable_v<T>
  void write(Address at, const T& value) {
    write_bytes(at, std::as_bytes(std::span(&value, 1)));
  }

  void write_bytes(Address at, std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) put(at + i, bytes[i]);
  }

  void fill(Address at, std::size_t size, std::byte value) {
    for (std::size_t i = 0; i < size; ++i) put(at + i, value);
  }

  // A NUL-terminated copy, padded so that it can be read in aligned pieces.
  Address write_c_string(std::string_view text) {
    Address at = allocate(text.size() + 33);
    write_bytes(at, std::as_bytes(std::span(text)));
    return at;
  }

  void make_unreadable(Address at, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      auto page = pages_.find((at.value() + i) / kPageSize);
      if (page != pages_.end()) page->second->known.reset((at.value() + i) % kPageSize);
    }
  }

  // Makes the rest of every begun page readable (as zeros), as the pages of a process are.
  void complete_pages() {
    for (auto& [number, page] : pages_) page->known.set();
  }

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
    ++reads_;
    for (std::size_t i = 0; i < into.size(); ++i) {
      std::uint64_t at = from.value() + i;
      auto page = pages_.find(at / kPageSize);
      if (page == pages_.end() || !page->second->known.test(at % kPageSize)) {
        return fail(ErrorKind::kUnreadable, "fake memory: never written", {}, Address{at});
      }
      into[i] = page->second->bytes[at % kPageSize];
    }
    return {};
  }

  [[nodiscard]] std::uint64_t reads() const { return reads_; }
  [[nodiscard]] std::vector<std::uint64_t> page_numbers() const {
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, page] : pages_) numbers.push_back(number);
    return numbers;
  }

 private:
  struct Page {
    std::array<std::byte, kPageSize> bytes{};
    std::bitset<kPageSize> known;
  };

  void put(Address at, std::byte value) {
    std::unique_ptr<Page>& page = pages_[at.value() / kPageSize];
    if (!page) page = std::make_unique<Page>();
    page->bytes[at.value() % kPageSize] = value;
    page->known.set(at.value() % kPageSize);
  }

  std::map<std::uint64_t, std::unique_ptr<Page>> pages_;
  Address next_{0x7f00'0000'0000};
  std::uint64_t reads_ = 0;
};

}  // namespace asyncspy
