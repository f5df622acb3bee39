#include "top_view.h"

#include <algorithm>

namespace asyncspy {
namespace {

constexpr std::size_t kMostFilter = 100;  // bytes
constexpr int kShiftStep = 8;

void append_utf8(std::string& text, char32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0 | (code >> 6));
    text += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0 | (code >> 12));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    text += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    text += static_cast<char>(0xf0 | (code >> 18));
    text += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    text += static_cast<char>(0x80 | (code & 0x3f));
  }
}

void type_into_filter(TopView& view, Key key) {
  switch (key.kind) {
    case KeyKind::kEnter: view.is_typing = false; return;
    case KeyKind::kEscape: view.is_typing = false, view.filter.clear(); return;
    case KeyKind::kBackspace:
      while (!view.filter.empty() && (static_cast<unsigned char>(view.filter.back()) & 0xc0) == 0x80) view.filter.pop_back();
      if (!view.filter.empty()) view.filter.pop_back();
      return;
    case KeyKind::kCharacter:
      if (key.code >= 0x20 && key.code != 0x7f && key.code <= 0x10ffff && view.filter.size() < kMostFilter) append_utf8(view.filter, key.code);
      return;
    default: return;
  }
}

bool is_list(Pane pane) { return pane == Pane::kTable || pane == Pane::kWorkers; }

// How far a key moves, in rows; 0: it is no key that moves.
std::ptrdiff_t find_step(Key key, const KeyContext& context) {
  constexpr std::ptrdiff_t kFar = std::ptrdiff_t{1} << 40;
  const auto page = static_cast<std::ptrdiff_t>(std::max<std::size_t>(context.page, 1));
  switch (key.kind) {
    case KeyKind::kUp: return -1;
    case KeyKind::kDown: return 1;
    case KeyKind::kPageUp: return -page;
    case KeyKind::kPageDown: return page;
    case KeyKind::kHome: return -kFar;
    case KeyKind::kEnd: return kFar;
    case KeyKind::kCharacter: return key.code == U'k' ? -1 : key.code == U'j' ? 1 : 0;
    default: return 0;
  }
}

std::size_t move_by(std::size_t from, std::ptrdiff_t step, std::size_t size) {
  if (size == 0) return 0;
  const auto last = static_cast<std::ptrdiff_t>(size) - 1;
  return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(from) + step, 0, last));
}

void move(TopView& view, std::ptrdiff_t step, const KeyContext& context) {
  if (view.pane == Pane::kTable) {
    view.cursor = move_by(find_selected(view, context.rows), step, context.rows.size());
    view.selected = context.rows.empty() ? 0 : context.rows[view.cursor].key;
  } else if (view.pane == Pane::kWorkers) {
    view.worker = move_by(view.worker, step, context.processes);
  } else {
    const std::size_t hidden = context.lines > context.page ? context.lines - context.page : 0;
    view.scroll = move_by(std::min(view.scroll, hidden), step, hidden + 1);
  }
}

void open_pane(TopView& view, Pane pane) {
  view.pane = view.pane == pane ? Pane::kTable : pane;
  view.scroll = 0;
  view.shift = 0;
}

void choose_sort(TopView& view, int step) {
  const int at = (static_cast<int>(view.sort) + step + kSortColumns) % kSortColumns;
  view.sort = static_cast<SortColumn>(at);
  view.descending = view.sort < SortColumn::kName;  // numbers from the greatest, words from A
}

void choose_process(TopView& view, std::size_t process) {
  view.process = process;
  view.loop = 0;
  view.selected = 0;
  view.cursor = 0;
}

void enter(TopView& view, const KeyContext& context) {
  if (view.pane == Pane::kWorkers) {
    choose_process(view, view.worker);
    open_pane(view, Pane::kTable);
  } else if (view.pane == Pane::kTable && !context.rows.empty()) {
    view.cursor = find_selected(view, context.rows);
    view.selected = context.rows[view.cursor].key;
    open_pane(view, Pane::kDetails);
  }
}

void go_back(TopView& view) {
  if (view.pane != Pane::kTable) return open_pane(view, Pane::kTable);
  view.filter.clear();
}

// A letter for each function key, as the bottom line says.
char32_t letter_of(Key key) {
  static constexpr char32_t kLetters[] = U"?g/if>thwq";
  if (key.kind == KeyKind::kFunction && key.code >= 1 && key.code <= 10) return kLetters[key.code - 1];
  return key.kind == KeyKind::kCharacter ? key.code : 0;
}

TopAction apply_letter(TopView& view, char32_t letter, const KeyContext& context) {
  switch (letter) {
    case U'q': return TopAction::kQuit;
    case U's': return TopAction::kSave;
    case U' ': view.is_frozen = !view.is_frozen; return TopAction::kFreeze;
    case U'?': open_pane(view, Pane::kHelp); break;
    case U'f': open_pane(view, Pane::kFindings); break;
    case U't': open_pane(view, Pane::kThreads); break;
    case U'h': open_pane(view, Pane::kHotStacks); break;
    case U'w': open_pane(view, Pane::kWorkers); view.worker = view.process; break;
    case U'/': view.pane = Pane::kTable, view.is_typing = true; break;
    case U'>': choose_sort(view, 1); break;
    case U'<': choose_sort(view, -1); break;
    case U'i': view.descending = !view.descending; break;
    case U'u': view.fold_waiters = !view.fold_waiters; break;
    case U'd': view.fold_awaited = !view.fold_awaited; break;
    case U'g':
      view.unit = view.unit == RowUnit::kGroups ? RowUnit::kTasks : RowUnit::kGroups;
      view.pane = Pane::kTable, view.selected = 0, view.cursor = 0;
      break;
    case U'n':
      view.loop = context.loops > 0 ? (view.loop + 1) % context.loops : 0;
      view.selected = 0, view.cursor = 0;
      break;
    case U'p': if (context.processes > 0) choose_process(view, (view.process + 1) % context.processes); break;
    default: break;
  }
  return TopAction::kNone;
}

}  // namespace

std::size_t find_selected(TopView& view, const std::vector<TopRow>& rows) {
  if (rows.empty()) return 0;
  if (view.selected != 0) {
    const auto found = std::ranges::find(rows, view.selected, &TopRow::key);
    if (found != rows.end()) return view.cursor = static_cast<std::size_t>(found - rows.begin());
  }
  return std::min(view.cursor, rows.size() - 1);
}

TopAction apply_key(TopView& view, Key key, const KeyContext& context) {
  view.message.clear();
  if (view.is_typing) {
    type_into_filter(view, key);
    if (find_step(key, context) == 0 || key.kind == KeyKind::kCharacter) return TopAction::kNone;
  }
  if (const std::ptrdiff_t step = find_step(key, context); step != 0) {
    move(view, step, context);
    return TopAction::kNone;
  }
  switch (key.kind) {
    case KeyKind::kEnter: enter(view, context); return TopAction::kNone;
    case KeyKind::kEscape:
    case KeyKind::kBackspace: go_back(view); return TopAction::kNone;
    case KeyKind::kLeft: view.shift = std::max(0, view.shift - kShiftStep); return TopAction::kNone;
    case KeyKind::kRight: if (!is_list(view.pane)) view.shift = std::min(view.shift + kShiftStep, 1000); return TopAction::kNone;
    default: return apply_letter(view, letter_of(key), context);
  }
}

}  // namespace asyncspy
