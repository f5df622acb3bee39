#include "grid.h"

#include <algorithm>
#include <array>
#include <utility>

#include "escape.h"

namespace asyncspy {
namespace {

constexpr int kMostSide = 2000;            // of a screen, in cells
constexpr std::size_t kMostInCell = 32;    // bytes: a target can put thousands of combining characters on one letter
constexpr std::string_view kNormal = "\x1b[0m";

constexpr std::array kRoles{Role::kHeading, Role::kBlocked, Role::kWarning, Role::kGood, Role::kName, Role::kLocation, Role::kDim};

// The escape sequence that a Style begins this role with.
std::string sequence_of(Role role) {
  std::string painted = Style(true).paint(role, "x");
  return painted.substr(0, painted.find('x'));
}

// The ink that the sequence at the beginning of `text` asks for, and the sequence's length; 0: it begins with none of ours.
std::pair<Ink, std::size_t> find_ink(std::string_view text) {
  static const std::array sequences = [] {
    std::array<std::string, kRoles.size()> all;
    for (std::size_t i = 0; i < kRoles.size(); ++i) all[i] = sequence_of(kRoles[i]);
    return all;
  }();
  if (text.starts_with(kNormal)) return {Ink::kPlain, kNormal.size()};
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    if (text.starts_with(sequences[i])) return {to_ink(kRoles[i]), sequences[i].size()};
  }
  return {Ink::kPlain, 0};
}

}  // namespace

Ink to_ink(Role role) {
  switch (role) {
    case Role::kHeading: return Ink::kHeading;
    case Role::kBlocked: return Ink::kBlocked;
    case Role::kWarning: return Ink::kWarning;
    case Role::kGood: return Ink::kGood;
    case Role::kName: return Ink::kName;
    case Role::kLocation: return Ink::kLocation;
    case Role::kDim: return Ink::kDim;
  }
  return Ink::kPlain;
}

Grid::Grid(int width, int height, Charset charset)
    : width_(std::clamp(width, 1, kMostSide)), height_(std::clamp(height, 1, kMostSide)), charset_(charset),
      cells_(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_)) {}

const Cell& Grid::at(int row, int column) const {
  return cells_[static_cast<std::size_t>(row) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(column)];
}

bool Grid::put_character(int row, int& column, int end, std::string_view bytes, int columns, Ink ink) {
  if (columns == 0) {
    if (column > 0 && !is_ascii()) {
      int before = column - 1;
      if (at(row, before).text.empty() && before > 0) --before;
      Cell& target = cell(row, before);
      if (target.text.size() + bytes.size() <= kMostInCell) target.text += bytes;
    }
    return true;
  }
  if (column + columns > end) return false;
  cell(row, column) = {is_ascii() && bytes.size() > 1 ? std::string("?") : std::string(bytes), ink};
  if (columns == 2) cell(row, column + 1) = {is_ascii() ? "?" : "", ink};
  column += columns;
  return true;
}

int Grid::put_safe(int row, int column, std::string_view safe, Ink ink, int end, int& skip) {
  for (std::size_t at = 0; at < safe.size();) {
    const Utf8Step step = read_utf8(safe, at);
    const std::string_view bytes = safe.substr(at, step.length);
    at += step.length;
    const int columns = static_cast<int>(count_columns(bytes));
    if (skip > 0) {
      skip -= columns;
      continue;
    }
    if (!put_character(row, column, end, bytes, columns, ink)) return end;
  }
  return column;
}

int Grid::put(int row, int column, std::string_view text, Ink ink, int most) {
  if (row < 0 || row >= height_ || column < 0 || column >= width_ || most <= 0) return column;
  const int end = std::min<int>(width_, column + std::min(most, kMostSide));
  std::string safe = escape_for_terminal(text);
  const auto room = static_cast<std::size_t>(end - column);
  if (room >= 4 && count_columns(safe) > room) safe = shorten(safe, room);
  int skip = 0;
  return put_safe(row, column, safe, ink, end, skip);
}

int Grid::put_painted(int row, int column, std::string_view line, int skip) {
  if (row < 0 || row >= height_ || column < 0 || column >= width_) return column;
  Ink ink = Ink::kPlain;
  while (!line.empty() && column < width_) {
    if (const auto [found, length] = find_ink(line); length > 0) {
      ink = found;
      line.remove_prefix(length);
      continue;
    }
    const std::size_t end = std::min(line.find('\x1b', 1), line.size());
    column = put_safe(row, column, escape_for_terminal(line.substr(0, end)), ink, width_, skip);
    line.remove_prefix(end);
  }
  return column;
}

void Grid::paint_row(int row, Ink ink) {
  if (row < 0 || row >= height_) return;
  for (int column = 0; column < width_; ++column) cell(row, column).ink = ink;
}

std::string Grid::row_text(int row) const {
  std::string text;
  for (int column = 0; column < width_; ++column) text += at(row, column).text;
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string Grid::to_text() const {
  std::string text;
  for (int row = 0; row < height_; ++row) text += row_text(row) + "\n";
  return text;
}

}  // namespace asyncspy
