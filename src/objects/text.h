// Reads Python strings and C strings as UTF-8.
#pragma once

#include <string>

#include "object_reader.h"

namespace asyncspy {

// A str object as UTF-8. Lone surrogates, which UTF-8 can not carry, become \udXXX. More than kMaxTextLength characters
// are cut, and "... (N more)" says so. The object's type is not checked.
[[nodiscard]] Result<std::string> read_text(const ObjectReader& reader, Address object);

// The beginning of a str object as code points, half surrogates included. The object's type is not checked.
struct Characters {
  std::u32string first;    // at most as many as asked for
  std::int64_t length = 0;  // of the whole string

  [[nodiscard]] bool is_cut() const { return length > static_cast<std::int64_t>(first.size()); }
};
[[nodiscard]] Result<Characters> read_characters(const ObjectReader& reader, Address object, std::int64_t most);

// One character as UTF-8; what UTF-8 can not carry as \udXXX or \UXXXXXXXX.
void append_utf8(std::string& out, char32_t character);

// A NUL-terminated C string of at most `limit` bytes; longer ones are cut.
[[nodiscard]] Result<std::string> read_c_string(Memory& memory, Address at, std::size_t limit);

}  // namespace asyncspy
