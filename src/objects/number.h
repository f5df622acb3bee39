// Reads Python ints and floats.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "object_reader.h"

namespace asyncspy {

// The value of an int that fits 64 bits; fails with kCorrupt when it does not. The object's type is not checked.
[[nodiscard]] Result<std::int64_t> read_integer(const ObjectReader& reader, Address object);

// The value of an int of any size: in decimal, or as "<int of 4321 bits>" where that would be too long to be read.
[[nodiscard]] Result<std::string> read_integer_text(const ObjectReader& reader, Address object);

// The value of an int of at most 128 bits that is not negative, high half first.
[[nodiscard]] Result<std::array<std::uint64_t, 2>> read_wide_integer(const ObjectReader& reader, Address object);

[[nodiscard]] Result<double> read_float(const ObjectReader& reader, Address object);

}  // namespace asyncspy
