// The hash that the target's dictionaries place a str key by, so that one key is found without reading all the others.
//
// SipHash-1-3 (3.11 and later) or SipHash-2-4 (before), with a key that each process draws when it starts (Python/pyhash.c,
// _Py_HashSecret). Which one it is, and whether that is the key, the target's own strings say: they keep their hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "address.h"

namespace asyncspy {

struct ObjectReader;

struct StringHash {
  std::uint64_t key_0 = 0;
  std::uint64_t key_1 = 0;
  int rounds = 1;        // for each eight bytes
  int last_rounds = 3;

  // Of a text of ASCII characters that is not empty.
  [[nodiscard]] std::int64_t of(std::string_view text) const;
};

// `secret`: _Py_HashSecret. Nothing, unless some of these str objects keep a hash and all that do agree with it.
[[nodiscard]] std::optional<StringHash> find_string_hash(const ObjectReader& reader, Address secret, const std::vector<Address>& strings);

}  // namespace asyncspy
