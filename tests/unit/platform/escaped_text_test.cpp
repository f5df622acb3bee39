#include "escaped_text.h"

#include "catch.h"

namespace asyncspy {

TEST_CASE("what a terminal would obey is escaped") {
  CHECK(escape_text("plain \xC3\xA9 \xF0\x9F\x90\x8D") == "plain \xC3\xA9 \xF0\x9F\x90\x8D");
  CHECK(escape_text("\x1b[2J") == "\\x1b[2J");
  CHECK(escape_text("a\nb\tc\\") == "a\\nb\\tc\\\\");
  CHECK(escape_text("\x7f\xC2\x9B") == "\\x7f\\x9b");
  CHECK(escape_text("\xE2\x80\xAE") == "\\u202e");
}

TEST_CASE("bytes that are not UTF-8 are shown one by one") {
  CHECK(escape_text("\xff\xC3") == "\\xff\\xc3");
  CHECK(escape_text("\xC0\xAF") == "\\xc0\\xaf");
  CHECK(escape_text("\xED\xA0\x80") == "\\xed\\xa0\\x80");
}

TEST_CASE("a long text is cut") { CHECK(escape_text("abcdef", 3) == "abc..."); }

}  // namespace asyncspy
