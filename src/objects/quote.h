// Strings and bytes as Python writes them: in quotes, with escapes.
//
// What acts on a terminal but is printable to Python, or the other way round, is left to the output (output/escape.h);
// control characters, quotes and backslashes are escaped here, so that the end of the string is where the quote is.
#pragma once

#include <string>
#include <string_view>

namespace asyncspy {

// repr() of a str; half surrogates become \udXXX.
[[nodiscard]] std::string quote_text(std::u32string_view characters);

// repr() of bytes, each given as one character.
[[nodiscard]] std::string quote_bytes(std::u32string_view bytes);

// repr() of a float: "1.0", "1e+16", "nan".
[[nodiscard]] std::string format_float(double value);

}  // namespace asyncspy
