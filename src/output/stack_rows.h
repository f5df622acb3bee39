// The lines of a stack, before they are put in columns. Internal to text_stack.cpp and text_native.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text_page.h"

namespace asyncspy {

inline constexpr std::string_view kNativeKind = "C";

struct StackRow {
  std::string kind;  // "async", "gen", "agen", "C" or empty
  std::string function;
  std::string location;
  bool library = false;
  bool innermost = false;  // of Python's frames, where execution is
  std::size_t repeats = 1;
  const FrameLocals* locals = nullptr;
};

// Frame `index` of the stack, or one more of the same place as the last row.
void add_row(TextPage& page, const std::vector<Frame>& stack, std::size_t index, std::vector<StackRow>& rows);

// `gutter`: with a column for the kinds.
void put_rows(TextPage& page, const std::vector<StackRow>& rows, std::size_t indent, bool gutter);

}  // namespace asyncspy
