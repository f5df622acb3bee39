// Reads Python ints and floats.
#pragma once

#include <cstdint>

#include "object_reader.h"

namespace asyncspy {

// The value of an int that fits 64 bits; fails with kCorrupt when it does not. The object's type is not checked.
[[nodiscard]] Result<std::int64_t> read_integer(const ObjectReader& reader, Address object);

[[nodiscard]] Result<double> read_float(const ObjectReader& reader, Address object);

}  // namespace asyncspy
