#include "pattern.h"

#include <utility>

namespace asyncspy {
namespace {

// Where the set that begins at `at` ends ("[a-z]", "[!0-9]", "[]x]"), or npos when it does not: then '[' is itself.
std::size_t find_end_of_set(std::string_view pattern, std::size_t at) {
  std::size_t first = at + 1;
  if (first < pattern.size() && (pattern[first] == '!' || pattern[first] == '^')) ++first;
  return pattern.find(']', first + 1);
}

bool is_in_set(std::string_view set, char c) {  // without its brackets
  const auto byte = static_cast<unsigned char>(c);
  const bool inverted = !set.empty() && (set[0] == '!' || set[0] == '^');
  if (inverted) set.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < set.size() && !found; ++i) {
    const auto low = static_cast<unsigned char>(set[i]);
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found = low <= byte && byte <= static_cast<unsigned char>(set[i + 2]);
      i += 2;
    } else {
      found = low == byte;
    }
  }
  return found != inverted;
}

// One item of the pattern other than '*' against one byte. Moves `at` behind the item when it fits.
bool fits(std::string_view pattern, std::size_t& at, char c) {
  if (pattern[at] == '[') {
    const std::size_t end = find_end_of_set(pattern, at);
    if (end != std::string_view::npos) {
      if (!is_in_set(pattern.substr(at + 1, end - at - 1), c)) return false;
      at = end + 1;
      return true;
    }
  }
  if (pattern[at] != '?' && pattern[at] != c) return false;
  ++at;
  return true;
}

// Only the last '*' is ever tried again, so the time is the product of the lengths at the worst.
bool match_wild(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = kNone;  // behind the last '*'
  std::size_t resume = 0;    // how much of the text it has not swallowed
  while (in < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      resume = in;
    } else if (at < pattern.size() && fits(pattern, at, text[in])) {
      ++in;
    } else if (star != kNone) {
      at = star;
      in = ++resume;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace

Pattern::Pattern(std::string text) : text_(std::move(text)), wild_(text_.find_first_of("*?[") != std::string::npos) {}

bool Pattern::matches(std::string_view text) const {
  return wild_ ? match_wild(text_, text) : text.find(text_) != std::string_view::npos;
}

bool Pattern::matches_whole(std::string_view text) const { return wild_ ? match_wild(text_, text) : text == text_; }

}  // namespace asyncspy
