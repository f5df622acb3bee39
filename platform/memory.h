// Memory of an inspected process, readable and nothing else.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "address.h"
#include "result.h"

namespace asyncspy {

class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  virtual ~Memory() = default;

  // Fills the whole of `into` with the bytes at `from`, or fails with kUnreadable and leaves `into` unspecified.
  // Never partially succeeds.
  [[nodiscard]] virtual Result<void> read(Address from, std::span<std::byte> into) = 0;

  // The bytes at `from`, where a copy of all of them lies in one piece; null says nothing, read() does. Valid as long as
  // the memory exists and is only read.
  [[nodiscard]] virtual const std::byte* look(Address, std::size_t) { return nullptr; }

  // Whether only part of the target's memory is at hand, so that a failed read says nothing about the target.
  [[nodiscard]] virtual bool is_partial() const { return false; }

  // One value of plain data. The target and asyncspy run on the same little-endian machine kind.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] Result<T> read_value(Address from) {
    std::array<std::byte, sizeof(T)> bytes;
    if (const std::byte* here = look(from, sizeof(T))) {
      std::memcpy(bytes.data(), here, sizeof(T));
      return std::bit_cast<T>(bytes);
    }
    if (auto done = read(from, bytes); !done) return std::unexpected(std::move(done.error()));
    return std::bit_cast<T>(bytes);
  }
};

inline constexpr std::uint64_t kPageSize = 4096;

}  // namespace asyncspy
