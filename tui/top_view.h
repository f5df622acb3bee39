// What a person has chosen to see, and how keys change it. Pure: the terminal hands in keys, and what is to be done comes out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "top_row.h"

namespace asyncspy {

enum class Pane : std::uint8_t { kTable, kDetails, kFindings, kThreads, kHotStacks, kWorkers, kHelp };

struct TopView {
  Pane pane = Pane::kTable;
  RowUnit unit = RowUnit::kGroups;
  SortColumn sort = SortColumn::kCount;
  bool descending = true;
  std::string filter;
  bool is_typing = false;       // of the filter
  RowKey selected = 0;          // of the table; 0: the first row
  std::size_t cursor = 0;       // where the selected row is, or was when it was last there
  std::size_t scroll = 0;       // first line of a pane that consists of lines
  int shift = 0;                // columns that such a pane leaves out on the left
  bool is_frozen = false;
  bool fold_waiters = false;    // of details: who waits for it
  bool fold_awaited = false;    // of details: what it waits for
  std::size_t process = 0;
  std::size_t worker = 0;       // under the cursor in the pane of workers
  std::size_t loop = 0;         // of the process
  std::string message;          // of the last action, until the next key
};

enum class KeyKind : std::uint8_t {
  kCharacter, kUp, kDown, kLeft, kRight, kPageUp, kPageDown, kHome, kEnd, kEnter, kEscape, kBackspace, kFunction, kOther,
};

struct Key {
  KeyKind kind = KeyKind::kOther;
  char32_t code = 0;  // the character, or the number of the function key
};

enum class TopAction : std::uint8_t { kNone, kQuit, kSave, kFreeze };

// What the keys move in, as the screen last drew it.
struct KeyContext {
  const std::vector<TopRow>& rows;  // of the table, as sorted and filtered
  std::size_t page = 1;             // rows on the screen
  std::size_t lines = 0;            // of a pane that consists of lines
  std::size_t loops = 0;            // of the process
  std::size_t processes = 0;
};

TopAction apply_key(TopView& view, Key key, const KeyContext& context);

// Where the selected row is; the one that took its place when it is gone. Keeps the cursor in step.
[[nodiscard]] std::size_t find_selected(TopView& view, const std::vector<TopRow>& rows);

}  // namespace asyncspy
