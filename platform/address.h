// A place in the memory of the inspected process.
//
// An Address is an identity and a number to calculate with; it can not be dereferenced here. All reads go
// through Memory (memory.h), so that a remote pointer never becomes a local one by mistake.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace asyncspy {

class Address {
 public:
  constexpr Address() = default;
  constexpr explicit Address(std::uint64_t value) : value_(value) {}

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr bool is_null() const { return value_ == 0; }

  constexpr auto operator<=>(const Address&) const = default;

  // Offsets wrap like unsigned numbers: target data may be garbage, and a read of the result then fails.
  constexpr Address operator+(std::uint64_t offset) const { return Address{value_ + offset}; }
  constexpr Address operator-(std::uint64_t offset) const { return Address{value_ - offset}; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace asyncspy

template <>
struct std::hash<asyncspy::Address> {
  std::size_t operator()(asyncspy::Address address) const noexcept {
    // Objects are 16-byte aligned: mix, so that the low bits differ.
    std::uint64_t x = address.value() * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(x ^ (x >> 32));
  }
};
