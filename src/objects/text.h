// Reads Python strings and C strings as UTF-8.
#pragma once

#include <string>

#include "object_reader.h"

namespace asyncspy {

// A str object as UTF-8. Lone surrogates, which UTF-8 can not carry, become \udXXX. More than kMaxTextLength characters
// are cut, and "... (N more)" says so. The object's type is not checked.
[[nodiscard]] Result<std::string> read_text(const ObjectReader& reader, Address object);

// A NUL-terminated C string of at most `limit` bytes; longer ones are cut.
[[nodiscard]] Result<std::string> read_c_string(Memory& memory, Address at, std::size_t limit);

}  // namespace asyncspy
