#include "escape.h"

#include <string>

#include "catch.h"

namespace asyncspy {

TEST_CASE("valid UTF-8 passes the escape unchanged") {
  CHECK(escape_for_terminal("Task-3 \xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x90\x8D \\") ==
        "Task-3 \xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x90\x8D \\");
}

TEST_CASE("control characters come out as escapes") {
  CHECK(escape_for_terminal("\x1b]0;evil\x07") == "\\x1b]0;evil\\x07");
  CHECK(escape_for_terminal("a\nb\rc\td") == "a\\nb\\rc\\td");
  CHECK(escape_for_terminal(std::string_view("\0\x7f", 2)) == "\\x00\\x7f");
}

TEST_CASE("a C1 character differs from the byte of the same number") {
  CHECK(escape_for_terminal("\xC2\x9B") == "\\u009b");
  CHECK(escape_for_terminal("\x9B") == "\\x9b");
}

TEST_CASE("characters that hide or reorder text come out as escapes") {
  CHECK(escape_for_terminal("a\xE2\x80\xAE" "b") == "a\\u202eb");
  CHECK(escape_for_terminal("\xE2\x81\xA6\xE2\x80\x8B\xEF\xBB\xBF\xD8\x9C") == "\\u2066\\u200b\\ufeff\\u061c");
  CHECK(escape_for_terminal("\xF3\xA0\x80\x81") == "\\U000e0001");
}

TEST_CASE("bytes that are no UTF-8 come out one by one") {
  CHECK(escape_for_terminal("\xFF" "a") == "\\xffa");
  CHECK(escape_for_terminal("\xC0\xAF") == "\\xc0\\xaf");              // overlong
  CHECK(escape_for_terminal("\xE0\x80\xAF") == "\\xe0\\x80\\xaf");     // overlong
  CHECK(escape_for_terminal("\xED\xA0\x80") == "\\xed\\xa0\\x80");     // surrogate
  CHECK(escape_for_terminal("\xF4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(escape_for_terminal("\xE6\xBC") == "\\xe6\\xbc");              // ends too early
  CHECK(escape_for_terminal("\xE6" "x\x82") == "\\xe6x\\x82");
}

TEST_CASE("no string of two bytes escapes to anything but printable text") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const std::string escaped = escape_for_terminal(text);
      for (std::size_t at = 0; at < escaped.size();) {
        const Utf8Step step = read_utf8(escaped, at);
        REQUIRE(step.valid);
        REQUIRE_FALSE(is_dangerous(step.code));
        at += step.length;
      }
    }
  }
}

TEST_CASE("columns count wide characters twice and combining ones not at all") {
  CHECK(count_columns("abc") == 3);
  CHECK(count_columns("\xE6\xBC\xA2") == 2);
  CHECK(count_columns("e\xCC\x81") == 1);
}

TEST_CASE("shortened text keeps whole characters and says that it was cut") {
  CHECK(shorten("abcdef", 6) == "abcdef");
  CHECK(shorten("abcdefg", 6) == "abc...");
  CHECK(shorten("\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2", 6) == "\xE6\xBC\xA2...");
  CHECK(shorten("", 4) == "");
}

}  // namespace asyncspy
