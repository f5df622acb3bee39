// Memory of an inspected process, readable and nothing else.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "address.h"
#include "result.h"

namespace asyncspy {

inline constexpr std::uint64_t kPageSize = 4096;

// Where a page is that was read.
struct PagePlace {
  std::uint64_t number = ~std::uint64_t{0};  // counted from address 0
  const std::byte* bytes = nullptr;
};

class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  virtual ~Memory() = default;

  // Fills the whole of `into` with the bytes at `from`, or fails with kUnreadable and leaves `into` unspecified.
  // Never partially succeeds.
  [[nodiscard]] virtual Result<void> read(Address from, std::span<std::byte> into) = 0;

  // The bytes at `from`, where a copy of all of them is known to lie in one piece; null says nothing, read() does. Valid as long as
  // the memory exists and is only read.
  [[nodiscard]] const std::byte* look(Address from, std::size_t size) const {
    const std::uint64_t number = from.value() / kPageSize;
    const std::uint64_t offset = from.value() % kPageSize;
    const PagePlace& known = places_[number & last_place_];
    return known.number == number && offset + size <= kPageSize ? known.bytes + offset : nullptr;
  }

  // Whether only part of the target's memory is at hand, so that a failed read says nothing about the target.
  [[nodiscard]] virtual bool is_partial() const { return false; }

  // One value of plain data. The target and asyncspy run on the same little-endian machine kind.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] Result<T> read_value(Address from) {
    if (const std::byte* here = look(from, sizeof(T))) {
      std::array<std::byte, sizeof(T)> bytes;
      std::memcpy(bytes.data(), here, sizeof(T));
      return std::bit_cast<T>(bytes);
    }
    return read_elsewhere<T>(from);
  }

 protected:
  // From now on look() finds pages here: each at the place that the low bits of its number say. `places` is a power of two.
  void find_pages_in(const PagePlace* table, std::uint64_t places) {
    places_ = table;
    last_place_ = places - 1;
  }

 private:
  template <class T>
  [[gnu::noinline]] Result<T> read_elsewhere(Address from) {  // rare: it is kept out of what is copied everywhere
    std::array<std::byte, sizeof(T)> bytes;
    if (auto done = read(from, bytes); !done) return std::unexpected(std::move(done.error()));
    return std::bit_cast<T>(bytes);
  }

  static constexpr PagePlace kNowhere{};
  const PagePlace* places_ = &kNowhere;
  std::uint64_t last_place_ = 0;
};

}  // namespace asyncspy
