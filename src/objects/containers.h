// Reads the elements of tuples, lists, deques, sets and dictionaries, as addresses. Types are not checked; lengths are.
//
// `most` bounds what is copied, for who shows the beginning of a container only.
#pragma once

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "object_reader.h"

namespace asyncspy {

inline constexpr std::size_t kAllItems = std::numeric_limits<std::size_t>::max();

[[nodiscard]] Result<std::vector<Address>> read_tuple(const ObjectReader& reader, Address object, std::size_t most = kAllItems);
[[nodiscard]] Result<std::vector<Address>> read_list(const ObjectReader& reader, Address object, std::size_t most = kAllItems);
[[nodiscard]] Result<std::vector<Address>> read_deque(const ObjectReader& reader, Address object, std::size_t most = kAllItems);

// Elements in table order.
[[nodiscard]] Result<std::vector<Address>> read_set(const ObjectReader& reader, Address object, std::size_t most = kAllItems);

struct DictEntry {
  Address key;
  Address value;
};

// Entries in insertion order.
[[nodiscard]] Result<std::vector<DictEntry>> read_dict(const ObjectReader& reader, Address object, std::size_t most = kAllItems);

// Entries of a key table whose values lie elsewhere (`values` is the first of an array of pointers).
[[nodiscard]] Result<std::vector<DictEntry>> read_split_entries(const ObjectReader& reader, Address keys, Address values,
                                                                std::size_t most = kAllItems);

// The value under a str key of ASCII characters that is not empty, or nothing when there is none.
[[nodiscard]] Result<std::optional<Address>> find_in_dict(const ObjectReader& reader, Address object, std::string_view key);
[[nodiscard]] Result<std::optional<Address>> find_in_entries(const ObjectReader& reader,
                                                             const std::vector<DictEntry>& entries, std::string_view key);

}  // namespace asyncspy
