// Memory made of a few pieces of bytes, for tests of pure readers.
#pragma once

#include <cstring>
#include <map>
#include <vector>

#include "memory.h"

namespace asyncspy {

class BytesMemory final : public Memory {
 public:
  template <class T>
  void put(Address at, const T& value) {
    std::vector<std::byte> bytes(sizeof(T));
    std::memcpy(bytes.data(), &value, sizeof(T));
    pieces_[at] = std::move(bytes);
  }

  void put_bytes(Address at, std::span<const std::byte> bytes) { pieces_[at] = {bytes.begin(), bytes.end()}; }

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
    auto piece = pieces_.upper_bound(from);
    if (piece != pieces_.begin()) {
      --piece;
      const std::uint64_t offset = from.value() - piece->first.value();
      if (offset <= piece->second.size() && into.size() <= piece->second.size() - offset) {
        std::memcpy(into.data(), piece->second.data() + offset, into.size());
        return {};
      }
    }
    return fail(ErrorKind::kUnreadable, "test memory: no such bytes", {}, from);
  }

 private:
  std::map<Address, std::vector<std::byte>> pieces_;
};

}  // namespace asyncspy
