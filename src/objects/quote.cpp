#include "quote.h"

#include <fmt/format.h>

#include <cmath>

#include "text.h"

namespace asyncspy {
namespace {

// Python prefers single quotes, and takes double ones where that saves escapes (Objects/unicodeobject.c, unicode_repr).
char choose_quote(std::u32string_view text) {
  const bool has_single = text.find(U'\'') != std::u32string_view::npos;
  const bool has_double = text.find(U'"') != std::u32string_view::npos;
  return has_single && !has_double ? '"' : '\'';
}

// True when the character is one that both kinds escape in the same way.
bool append_common_escape(std::string& out, char32_t c, char quote) {
  if (c == static_cast<unsigned char>(quote) || c == '\\') {
    out += '\\';
    out += static_cast<char>(c);
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c < 0x20 || c == 0x7F) {
    out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c));
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string quote_text(std::u32string_view characters) {
  const char quote = choose_quote(characters);
  std::string out(1, quote);
  for (char32_t c : characters) {
    if (append_common_escape(out, c, quote)) continue;
    if (c >= 0x80 && c < 0xA0) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c));
    } else {
      append_utf8(out, c);
    }
  }
  return out + quote;
}

std::string quote_bytes(std::u32string_view bytes) {
  const char quote = choose_quote(bytes);
  std::string out = {'b', quote};
  for (char32_t c : bytes) {
    if (append_common_escape(out, c, quote)) continue;
    if (c >= 0x80) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c));
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + quote;
}

std::string format_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace asyncspy
