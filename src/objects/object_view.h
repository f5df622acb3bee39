// The beginning of one remote object, as it was read at once; members are then taken out by layout.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>

#include "address.h"
#include "layout.h"

namespace asyncspy {

class ObjectView {
 public:
  static constexpr std::size_t kCapacity = 512;  // validate.cpp checks that the fields of a layout fit

  // With `bytes` it shows these, which stay as long as the memory that they are of; else room for a copy of its own.
  ObjectView(Address address, std::size_t size, const std::byte* bytes) : address_(address), size_(size), bytes_(bytes) {}

  [[nodiscard]] Address address() const { return address_; }
  [[nodiscard]] std::span<std::byte> copy() { return {copy_.data(), size_}; }

  // The member's value. Asking for an absent member or one beyond the copy is a defect of the caller.
  template <class T>
  [[nodiscard]] T get(Field<T> field) const {
    T value{};
    std::memcpy(&value, at(field.offset, sizeof(T)), sizeof(T));
    return value;
  }
  [[nodiscard]] bool get(Flag flag) const {
    std::uint32_t word = 0;
    std::memcpy(&word, at(flag.offset, sizeof word), sizeof word);
    return (word & flag.mask) != 0;
  }

 private:
  [[nodiscard]] const std::byte* at(std::int32_t offset, std::size_t length) const {
    if (offset < 0 || static_cast<std::size_t>(offset) + length > size_) refuse();
    return (bytes_ != nullptr ? bytes_ : copy_.data()) + offset;
  }
  [[noreturn, gnu::cold, gnu::noinline]] static void refuse() { throw std::logic_error("ObjectView: member outside the copy"); }

  Address address_;
  std::size_t size_;
  const std::byte* bytes_;
  std::array<std::byte, kCapacity> copy_;  // NOLINT: only the first size_ bytes are ever read
};

}  // namespace asyncspy
