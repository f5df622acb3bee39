#include "top_view.h"

#include "catch.h"

namespace asyncspy {
namespace {

std::vector<TopRow> make_rows(std::size_t count) {
  std::vector<TopRow> rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    rows[i].key = 100 + i;
    rows[i].name = "row" + std::to_string(i);
  }
  return rows;
}

TopAction press(TopView& view, char32_t letter, const KeyContext& context) { return apply_key(view, {KeyKind::kCharacter, letter}, context); }

TEST_CASE("the selection stays on its row when others come and go") {
  TopView view;
  std::vector<TopRow> rows = make_rows(5);
  apply_key(view, {KeyKind::kDown}, {.rows = rows, .page = 3});
  apply_key(view, {KeyKind::kDown}, {.rows = rows, .page = 3});
  CHECK(view.selected == 102);
  std::swap(rows[0], rows[2]);
  CHECK(find_selected(view, rows) == 0);
  rows.erase(rows.begin());
  CHECK(find_selected(view, rows) == 0);  // it is gone: the one that took its place
  CHECK(find_selected(view, {}) == 0);
}

TEST_CASE("keys that move end at the first and the last row") {
  TopView view;
  const std::vector<TopRow> rows = make_rows(10);
  const KeyContext context{.rows = rows, .page = 4};
  const auto after = [&](KeyKind kind) {
    apply_key(view, {kind}, context);
    return view.cursor;
  };
  CHECK(after(KeyKind::kUp) == 0);
  CHECK(after(KeyKind::kPageDown) == 4);
  CHECK(after(KeyKind::kPageDown) == 8);
  CHECK(after(KeyKind::kPageDown) == 9);
  CHECK(after(KeyKind::kHome) == 0);
  CHECK(after(KeyKind::kEnd) == 9);
  CHECK(after(KeyKind::kPageUp) == 5);
  const std::vector<TopRow> none;
  CHECK(apply_key(view, {KeyKind::kDown}, {.rows = none}) == TopAction::kNone);
  CHECK(apply_key(view, {KeyKind::kEnter}, {.rows = none}) == TopAction::kNone);
  CHECK(view.pane == Pane::kTable);
}

TEST_CASE("a filter is typed, corrected, kept by Enter and cleared by Escape") {
  TopView view;
  const std::vector<TopRow> rows = make_rows(3);
  const KeyContext context{.rows = rows};
  press(view, U'/', context);
  CHECK(view.is_typing);
  for (const char32_t letter : {U'q', U'é', U'x'}) CHECK(press(view, letter, context) == TopAction::kNone);
  CHECK(view.filter == "qéx");
  apply_key(view, {KeyKind::kBackspace}, context);
  apply_key(view, {KeyKind::kBackspace}, context);
  CHECK(view.filter == "q");
  apply_key(view, {KeyKind::kEnter}, context);
  CHECK_FALSE(view.is_typing);
  CHECK(view.filter == "q");
  apply_key(view, {KeyKind::kEscape}, context);
  CHECK(view.filter.empty());
}

TEST_CASE("each function key does what its letter does") {
  const std::vector<TopRow> rows = make_rows(3);
  const KeyContext context{.rows = rows};
  const auto pane_of = [&](Key key) {
    TopView view;
    apply_key(view, key, context);
    return view.pane;
  };
  CHECK(pane_of({KeyKind::kFunction, 1}) == Pane::kHelp);
  CHECK(pane_of({KeyKind::kCharacter, U'?'}) == Pane::kHelp);
  CHECK(pane_of({KeyKind::kFunction, 5}) == Pane::kFindings);
  CHECK(pane_of({KeyKind::kCharacter, U'f'}) == Pane::kFindings);
  CHECK(pane_of({KeyKind::kFunction, 7}) == Pane::kThreads);
  CHECK(pane_of({KeyKind::kFunction, 8}) == Pane::kHotStacks);
  CHECK(pane_of({KeyKind::kFunction, 9}) == Pane::kWorkers);
  CHECK(pane_of({KeyKind::kEnter}) == Pane::kDetails);
  TopView view;
  CHECK(apply_key(view, {KeyKind::kFunction, 10}, context) == TopAction::kQuit);
  CHECK(press(view, U'q', context) == TopAction::kQuit);
  CHECK(press(view, U's', context) == TopAction::kSave);
  CHECK(press(view, U' ', context) == TopAction::kFreeze);
  CHECK(view.is_frozen);
}

TEST_CASE("every column can be sorted by, and numbers begin with the greatest") {
  TopView view;
  const std::vector<TopRow> rows = make_rows(3);
  const KeyContext context{.rows = rows};
  for (int i = 0; i < kSortColumns; ++i) {
    CHECK(view.descending == (view.sort < SortColumn::kName));
    press(view, U'>', context);
  }
  CHECK(view.sort == SortColumn::kCount);
  press(view, U'<', context);
  CHECK(view.sort == SortColumn::kWaits);
  press(view, U'i', context);
  CHECK(view.descending);
}

TEST_CASE("n goes from loop to loop, p from process to process") {
  TopView view;
  const std::vector<TopRow> rows;
  const KeyContext context{.rows = rows, .loops = 2, .processes = 2};
  press(view, U'n', context);
  CHECK(view.loop == 1);
  press(view, U'p', context);
  CHECK(view.process == 1);
  CHECK(view.loop == 0);
  press(view, U'p', context);
  CHECK(view.process == 0);
  press(view, U'n', {.rows = rows});
  CHECK(view.loop == 0);
}

}  // namespace
}  // namespace asyncspy
