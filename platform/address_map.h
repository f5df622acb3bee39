// A hash map from addresses to small values, for what is looked up several times for each task.
//
// Open addressing in one block of memory: a look-up touches one cache line, and a million entries are one allocation instead
// of a million. Null is never in it. Entries are only added; pointers to values hold until the next one is.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "address.h"

namespace asyncspy {

template <class Value>
class AddressMap {
 public:
  // The value of `key`, or null.
  [[nodiscard]] const Value* find(Address key) const {
    if (slots_.empty() || key.is_null()) return nullptr;
    const Slot& slot = slots_[place_of(key)];
    return slot.key == key ? &slot.value : nullptr;
  }
  [[nodiscard]] Value* find(Address key) { return const_cast<Value*>(std::as_const(*this).find(key)); }
  [[nodiscard]] bool contains(Address key) const { return find(key) != nullptr; }

  // Adds the entry and says so; does not where there is one already, or for null.
  bool add(Address key, Value value) {
    if (key.is_null()) return false;
    if (2 * (size_ + 1) > slots_.size()) grow(2 * slots_.size());
    Slot& slot = slots_[place_of(key)];
    if (slot.key == key) return false;
    slot.key = key;
    slot.value = std::move(value);
    ++size_;
    return true;
  }

  void reserve(std::size_t count) {
    if (2 * count > slots_.size()) grow(std::bit_ceil(2 * count));
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Slot {
    Address key;
    [[no_unique_address]] Value value{};
  };

  // Of the key, or where it is to be put: the next free slot.
  [[nodiscard]] std::size_t place_of(Address key) const {
    // The middle bits of addresses differ most; multiplication brings them to the top (Fibonacci hashing).
    std::size_t at = static_cast<std::size_t>(key.value() * 0x9E3779B97F4A7C15ULL >> shift_);
    while (!slots_[at].key.is_null() && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void grow(std::size_t wanted) {
    const std::size_t count = wanted < kLeast ? kLeast : wanted;
    std::vector<Slot> old(count);
    old.swap(slots_);
    shift_ = 64 - std::countr_zero(count);
    for (Slot& slot : old) {
      if (!slot.key.is_null()) slots_[place_of(slot.key)] = std::move(slot);
    }
  }

  static constexpr std::size_t kLeast = 64;  // slots; always a power of two, at most half full
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
  int shift_ = 0;
};

// Addresses, once each.
class AddressSet {
 public:
  [[nodiscard]] bool contains(Address address) const { return entries_.contains(address); }
  bool add(Address address) { return entries_.add(address, {}); }
  void reserve(std::size_t count) { entries_.reserve(count); }

 private:
  struct Nothing {};
  AddressMap<Nothing> entries_;
};

}  // namespace asyncspy
