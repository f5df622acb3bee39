#include "escaped_text.h"

#include <fmt/format.h>

#include <cstdint>

namespace asyncspy {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;  // 0: not UTF-8
};

Character decode_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return {};
  std::uint32_t code = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {};
  return {code, size};
}

// Marks that reorder what is printed around them (UAX #9), and line separators.
bool turns_text(std::uint32_t code) {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::string escape_text(std::string_view text, std::size_t most) {
  std::string escaped;
  std::size_t at = 0;
  while (at < text.size()) {
    if (at >= most) return escaped + "...";
    const auto [code, size] = decode_character(text.substr(at));
    if (size == 0) {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
      ++at;
      continue;
    }
    if (code == '\\') {
      escaped += "\\\\";
    } else if (code == '\n') {
      escaped += "\\n";
    } else if (code == '\r') {
      escaped += "\\r";
    } else if (code == '\t') {
      escaped += "\\t";
    } else if (code < 0x20 || (code >= 0x7F && code < 0xA0)) {
      escaped += fmt::format("\\x{:02x}", code);
    } else if (turns_text(code)) {
      escaped += fmt::format("\\u{:04x}", code);
    } else {
      escaped += text.substr(at, size);
    }
    at += size;
  }
  return escaped;
}

}  // namespace asyncspy
