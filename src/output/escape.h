// Strings of the inspected program, made harmless.
//
// Names, paths and arguments come from the target and may hold anything: a task called "\x1b]0;owned\x07" must not
// reach the terminal as it is. Text output passes every such string through escape_for_terminal(); JSON escapes the
// same characters in its own way (json_writer.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace asyncspy {

// One step through a string that should be UTF-8.
struct Utf8Step {
  char32_t code = 0;       // meaningless unless `valid`
  std::size_t length = 1;  // bytes taken; 1 when invalid
  bool valid = false;
};

// The character at `at`, which must lie inside `text`. Overlong forms and surrogates are invalid.
[[nodiscard]] Utf8Step read_utf8(std::string_view text, std::size_t at);

// Characters that act on a terminal or hide in it: C0, DEL, C1, bidirectional controls, zero-width and line
// separators, tags.
[[nodiscard]] bool is_dangerous(char32_t code);

// Valid UTF-8 without dangerous characters: those come out as \n \t \x1b \u202e \U000e0001, bytes that are no UTF-8
// as \xff.
[[nodiscard]] std::string escape_for_terminal(std::string_view text);

// Whether all of it is printable ASCII, which is shown as it is, one column each.
[[nodiscard]] bool is_plain_text(std::string_view text);

// Columns that escaped text takes on a terminal: wide characters count two, combining ones none.
[[nodiscard]] std::size_t count_columns(std::string_view text);

// `text` cut to at most `columns` (at least 4), ending in "..." if anything was cut. Takes escaped text.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t columns);

}  // namespace asyncspy
