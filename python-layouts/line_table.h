// From an instruction's offset to its source line, in each of the codings that CPython has used.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "layout.h"

namespace asyncspy {

// The line of the instruction at byte `offset` of the code, or nothing when the table gives it none (or is garbage).
// Objects/lnotab_notes.txt (3.7-3.10) and Objects/locations.md or InternalDocs/code_objects.md (3.11+).
[[nodiscard]] std::optional<int> find_line(LineTable coding, std::span<const std::byte> table, int first_line,
                                           std::int64_t offset);

// How many bytes of code the table's entries cover (not defined for kLnotab, whose last entry has no end).
[[nodiscard]] std::int64_t measure_line_table(LineTable coding, std::span<const std::byte> table);

}  // namespace asyncspy
