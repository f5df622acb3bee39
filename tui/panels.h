// The panels of the screen. Each one draws what it is given into an area of a grid; none reads a target or a terminal.
#pragma once

#include <string>
#include <vector>

#include "grid.h"
#include "top_model.h"
#include "top_row.h"
#include "top_view.h"

namespace asyncspy {

struct Area {
  int row = 0;
  int height = 0;
};

// Process, chosen loop, tasks, costs. Always these lines.
inline constexpr int kHeaderRows = 7;
void draw_header(Grid& grid, Area area, const TopModel& model, const TopView& view);

// The titles of the columns and one line a row. `first`: the first row that is shown; `cursor`: the one that is marked.
struct TableScroll {
  std::size_t first = 0;
  std::size_t cursor = 0;
};
void draw_table(Grid& grid, Area area, const std::vector<TopRow>& rows, const TopView& view, TableScroll scroll);

void draw_workers(Grid& grid, Area area, const TopModel& model, const TopView& view);

// Lines as painted by a Style, from view.scroll and view.shift on.
void draw_lines(Grid& grid, Area area, const std::vector<std::string>& lines, const TopView& view);

// The bottom line: the filter that is typed, a message, or the keys.
void draw_keys(Grid& grid, int row, const TopView& view);

// What draw_lines() shows in each pane.
[[nodiscard]] std::vector<std::string> build_details(const Report& report, const TopRow& row, const TopView& view);
[[nodiscard]] std::vector<std::string> build_findings(const Report& report);
[[nodiscard]] std::vector<std::string> build_threads(const Report& report);
[[nodiscard]] std::vector<std::string> build_hot_stacks(const LoopRecord* record);
[[nodiscard]] std::vector<std::string> build_help();

// "BLOCKED for at least 3.2 s", "idle"; and how to paint it.
struct LoopWords {
  std::string text;
  Ink ink = Ink::kPlain;
};
[[nodiscard]] LoopWords describe_loop_now(const Report& report, const Loop& loop, const LoopRecord* record);

// The chosen loop; null: there is none.
[[nodiscard]] const Loop* find_chosen_loop(const ProcessModel& process, const TopView& view);

}  // namespace asyncspy
