// A screen as a grid of cells, into which panels draw: no terminal behind it, so that a test compares text.
//
// Everything that is put into it is made harmless (escape.h) and clipped at the edges: a panel can not draw outside, and no
// string of the target reaches the terminal as it is. A wide character takes two cells, a combining one none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "style.h"

namespace asyncspy {

enum class Ink : std::uint8_t { kPlain, kHeading, kBlocked, kWarning, kGood, kName, kLocation, kDim, kBar, kSelected };

[[nodiscard]] Ink to_ink(Role role);

struct Cell {
  std::string text = " ";  // one character with what combines with it; empty: the right half of a wide one
  Ink ink = Ink::kPlain;
};

enum class Charset : std::uint8_t { kUtf8, kAscii };

class Grid {
 public:
  Grid(int width, int height, Charset charset = Charset::kUtf8);

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  [[nodiscard]] bool is_ascii() const { return charset_ == Charset::kAscii; }
  [[nodiscard]] const Cell& at(int row, int column) const;  // must lie inside

  // Writes from `column` on and at most `most` columns; returns the column after it. What lies outside is left out; what is cut
  // ends in "..." where there is room for that.
  int put(int row, int column, std::string_view text, Ink ink = Ink::kPlain, int most = kNoLimit);

  // A line that was painted by a Style with colour: its colours become inks. `skip`: columns to leave out on the left.
  int put_painted(int row, int column, std::string_view line, int skip = 0);

  // Gives the whole row this ink, text included.
  void paint_row(int row, Ink ink);

  [[nodiscard]] std::string row_text(int row) const;  // without blanks at its end
  [[nodiscard]] std::string to_text() const;          // all rows, each with a line feed

  static constexpr int kNoLimit = 1 << 20;

 private:
  // One character at a time; false when the row is full.
  bool put_character(int row, int& column, int end, std::string_view bytes, int columns, Ink ink);
  int put_safe(int row, int column, std::string_view safe, Ink ink, int end, int& skip);
  Cell& cell(int row, int column) { return cells_[static_cast<std::size_t>(row) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(column)]; }

  int width_;
  int height_;
  Charset charset_;
  std::vector<Cell> cells_;
};

}  // namespace asyncspy
