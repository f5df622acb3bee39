#include "escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace asyncspy {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array kDangerous{
    Range{0x0000, 0x001F},    // C0
    Range{0x007F, 0x009F},    // DEL, C1
    Range{0x00AD, 0x00AD},    // soft hyphen
    Range{0x061C, 0x061C},    // Arabic letter mark
    Range{0x180E, 0x180E},    // Mongolian vowel separator
    Range{0x200B, 0x200F},    // zero width, direction marks
    Range{0x2028, 0x202E},    // line and paragraph separators, embeddings and overrides
    Range{0x2060, 0x206F},    // word joiner, invisible operators, isolates
    Range{0xFEFF, 0xFEFF},    // zero width no-break space
    Range{0xFFF9, 0xFFFB},    // interlinear annotations
    Range{0xE0000, 0xE007F},  // tags
};

// What terminals draw two columns wide, to a good approximation (East Asian Width W and F, emoji).
constexpr std::array kWide{
    Range{0x1100, 0x115F}, Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},   Range{0xAC00, 0xD7A3},
    Range{0xF900, 0xFAFF}, Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},
    Range{0x1F300, 0x1F64F}, Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD},
};

constexpr std::array kCombining{
    Range{0x0300, 0x036F}, Range{0x1AB0, 0x1AFF}, Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F},
};

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, char32_t code) {
  return std::ranges::any_of(ranges, [code](Range range) { return range.first <= code && code <= range.last; });
}

std::size_t columns_of(char32_t code) {
  if (code < 0x300) return 1;
  if (contains(kCombining, code)) return 0;
  return contains(kWide, code) ? 2 : 1;
}

bool is_plain(char byte) { return byte >= 0x20 && byte < 0x7F; }

void append_escape(std::string& out, char32_t code) {
  const auto number = static_cast<std::uint32_t>(code);
  switch (code) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  // C1 as a character is \u009b, so that it differs from the byte \x9b, which is no UTF-8.
  if (number < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", number);
  } else if (number <= 0xFFFF) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", number);
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", number);
  }
}

}  // namespace

Utf8Step read_utf8(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  std::size_t length = 0;
  char32_t code = 0;
  char32_t smallest = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2, code = lead & 0x1Fu, smallest = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3, code = lead & 0x0Fu, smallest = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4, code = lead & 0x07u, smallest = 0x10000;
  } else {
    return {};
  }
  if (text.size() - at < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return {};
    code = (code << 6) | (byte(i) & 0x3Fu);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < smallest || code > 0x10FFFF || surrogate) return {};
  return {code, length, true};
}

bool is_dangerous(char32_t code) {
  if (code >= 0x20 && code < 0x7F) return false;
  return contains(kDangerous, code);
}

bool is_plain_text(std::string_view text) { return std::ranges::all_of(text, is_plain); }

std::string escape_for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (is_plain(text[at])) {
      out += text[at++];
      continue;
    }
    const Utf8Step step = read_utf8(text, at);
    if (!step.valid) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (is_dangerous(step.code)) {
      append_escape(out, step.code);
    } else {
      out += text.substr(at, step.length);
    }
    at += step.length;
  }
  return out;
}

std::size_t count_columns(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = read_utf8(text, at);
    columns += step.valid ? columns_of(step.code) : 1;
    at += step.length;
  }
  return columns;
}

std::string shorten(std::string_view text, std::size_t columns) {
  constexpr std::string_view kCut = "...";
  std::size_t used = 0;
  std::size_t fits = 0;  // bytes that leave room for "..."
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = read_utf8(text, at);
    used += step.valid ? columns_of(step.code) : 1;
    at += step.length;
    if (used + kCut.size() <= columns) fits = at;
    if (used > columns) return std::string(text.substr(0, fits)) + std::string(kCut);
  }
  return std::string(text);
}

}  // namespace asyncspy
