#include "grid.h"

#include "catch.h"

namespace asyncspy {
namespace {

TEST_CASE("text outside of a grid is left out, and what is cut says so") {
  Grid grid(10, 2);
  grid.put(0, 0, "0123456789abc");
  grid.put(1, 7, "xyz1");
  grid.put(2, 0, "below");
  grid.put(-1, 0, "above");
  grid.put(0, 10, "right");
  CHECK(grid.to_text() == "0123456...\n       xyz\n");
}

TEST_CASE("a limit of columns is kept") {
  Grid grid(20, 1);
  CHECK(grid.put(0, 2, "abcdefghij", Ink::kName, 6) == 8);
  CHECK(grid.to_text() == "  abc...\n");
  CHECK(grid.at(0, 2).ink == Ink::kName);
  CHECK(grid.at(0, 1).ink == Ink::kPlain);
}

TEST_CASE("wide characters take two cells, and none is cut in two") {
  Grid grid(5, 1);
  CHECK(grid.put(0, 0, "a漢字") == 5);
  CHECK(grid.row_text(0) == "a漢字");
  CHECK(grid.at(0, 2).text.empty());
  Grid narrow(2, 1);
  narrow.put(0, 0, "a漢");
  CHECK(narrow.row_text(0) == "a");
}

TEST_CASE("combining characters join the letter before them, and only so many do") {
  Grid grid(4, 1);
  std::string text = "e";
  for (int i = 0; i < 1000; ++i) text += "\u0301";
  grid.put(0, 0, text + "x");
  CHECK(grid.at(0, 0).text.size() <= 32);
  CHECK(grid.at(0, 1).text == "x");
}

TEST_CASE("nothing that acts on a terminal comes into a grid") {
  Grid grid(60, 2);
  grid.put(0, 0, "\x1b]0;owned\x07 \xff \u202e");
  grid.put_painted(1, 0, "\x1b[2Jx\x1b[0my");
  const std::string text = grid.to_text();
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(grid.row_text(0) == "\\x1b]0;owned\\x07 \\xff \\u202e");
  CHECK(grid.row_text(1) == "\\x1b[2Jxy");
}

TEST_CASE("painted lines keep their colours as inks") {
  Grid grid(20, 1);
  grid.put_painted(0, 0, Style(true).paint(Role::kBlocked, "BAD") + " " + Style(true).paint(Role::kLocation, "a.py:1"));
  CHECK(grid.row_text(0) == "BAD a.py:1");
  CHECK(grid.at(0, 0).ink == Ink::kBlocked);
  CHECK(grid.at(0, 3).ink == Ink::kPlain);
  CHECK(grid.at(0, 4).ink == Ink::kLocation);
}

TEST_CASE("a painted line can be shown from a column on") {
  Grid grid(20, 1);
  grid.put_painted(0, 0, Style(true).paint(Role::kName, "abcdef") + "ghi", 4);
  CHECK(grid.row_text(0) == "efghi");
  CHECK(grid.at(0, 0).ink == Ink::kName);
  CHECK(grid.at(0, 2).ink == Ink::kPlain);
}

TEST_CASE("where there is ASCII only, nothing else comes into a grid") {
  Grid grid(20, 1, Charset::kAscii);
  grid.put(0, 0, "naïve 漢");
  CHECK(grid.row_text(0) == "na?ve ??");
}

TEST_CASE("a grid of no size has one cell") {
  Grid grid(0, -3);
  grid.put(0, 0, "ab");
  CHECK(grid.to_text() == "a\n");
}

}  // namespace
}  // namespace asyncspy
