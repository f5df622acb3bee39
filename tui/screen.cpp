#include "screen.h"

#include <algorithm>

namespace asyncspy {
namespace {

constexpr std::size_t kBatchRows = 40;  // of the table

bool shows_lines(Pane pane) { return pane != Pane::kTable && pane != Pane::kWorkers; }

}  // namespace

void Screen::update_rows(const ProcessModel& process, const TopView& view) {
  const RowsMade wanted{process.pid(), process.serial(), view.unit, view.loop};
  if (wanted != made_) {
    const bool several = process.report() && process.report()->loops.size() > 1;
    all_rows_ = process.rows(view.unit, several ? static_cast<std::int32_t>(view.loop) : -1);
    made_ = wanted;
  }
  rows_ = all_rows_;
  filter_rows(rows_, view.filter);
  sort_rows(rows_, view.sort, view.descending);
}

std::size_t Screen::scroll_to(std::size_t cursor, std::size_t page) {
  const std::size_t last = rows_.size() > page ? rows_.size() - page : 0;
  first_ = std::min(first_, last);
  if (cursor < first_) first_ = cursor;
  if (cursor >= first_ + page) first_ = cursor - page + 1;
  return first_;
}

void Screen::update_lines(const TopModel& model, const TopView& view) {
  lines_.clear();
  if (view.pane == Pane::kHelp) {
    lines_ = build_help();
    return;
  }
  if (view.process >= model.processes.size() || !model.processes[view.process].report()) return;
  const ProcessModel& process = model.processes[view.process];
  const Report& report = *process.report();
  const Loop* loop = find_chosen_loop(process, view);
  switch (view.pane) {
    case Pane::kFindings: lines_ = build_findings(report); return;
    case Pane::kThreads: lines_ = build_threads(report); return;
    case Pane::kHotStacks: lines_ = build_hot_stacks(loop == nullptr ? nullptr : process.find_loop(loop->id)); return;
    case Pane::kDetails: {
      const auto found = std::ranges::find(all_rows_, view.selected, &TopRow::key);
      if (found == all_rows_.end()) lines_ = {"  it is gone: no task is there any more in the last look"};
      else lines_ = build_details(report, *found, view);
      return;
    }
    default: return;
  }
}

void Screen::draw(Grid& grid, const TopModel& model, TopView& view) {
  if (!model.processes.empty()) view.process = std::min(view.process, model.processes.size() - 1);
  view.worker = std::min(view.worker, model.processes.empty() ? 0 : model.processes.size() - 1);
  const int header = std::min(kHeaderRows, std::max(1, grid.height() - 4));
  const Area area{header, std::max(0, grid.height() - header - 1)};
  page_ = static_cast<std::size_t>(std::max(1, shows_lines(view.pane) ? area.height : area.height - 1));
  rows_.clear();
  if (view.process < model.processes.size()) {
    const ProcessModel& process = model.processes[view.process];
    const std::size_t loops = process.report() ? process.report()->loops.size() : 0;
    if (view.loop >= loops) view.loop = 0;
    update_rows(process, view);
  }
  update_lines(model, view);
  draw_header(grid, {0, header}, model, view);
  if (view.pane == Pane::kTable) {
    const std::size_t cursor = find_selected(view, rows_);
    draw_table(grid, area, rows_, view, {scroll_to(cursor, page_), cursor});
  } else if (view.pane == Pane::kWorkers) {
    draw_workers(grid, area, model, view);
  } else {
    draw_lines(grid, area, lines_, view);
  }
  draw_keys(grid, grid.height() - 1, view);
}

KeyContext Screen::context(const TopModel& model, const TopView& view) const {
  std::size_t loops = 0;
  if (view.process < model.processes.size() && model.processes[view.process].report()) loops = model.processes[view.process].report()->loops.size();
  return {.rows = rows_, .page = page_, .lines = lines_.size(), .loops = loops, .processes = model.processes.size()};
}

std::string render_batch(const TopModel& model, TopView view, int width, Charset charset) {
  std::string text;
  const bool several = model.processes.size() > 1;
  if (several) {
    Grid workers(width, static_cast<int>(std::min<std::size_t>(model.processes.size(), kBatchRows)) + 1, charset);
    draw_workers(workers, {0, workers.height()}, model, view);
    text += workers.to_text() + "\n";
  }
  for (view.process = 0; view.process < std::max<std::size_t>(model.processes.size(), 1); ++view.process) {
    std::vector<TopRow> rows;
    if (view.process < model.processes.size()) rows = model.processes[view.process].rows(view.unit, -1);
    filter_rows(rows, view.filter);
    sort_rows(rows, view.sort, view.descending);
    const std::size_t shown = std::min(rows.size(), kBatchRows);
    Grid grid(width, kHeaderRows + 1 + static_cast<int>(std::max<std::size_t>(shown, 1)), charset);
    draw_header(grid, {0, kHeaderRows}, model, view);
    draw_table(grid, {kHeaderRows, grid.height() - kHeaderRows}, rows, view, {0, rows.size()});
    text += grid.to_text();
    if (shown < rows.size()) text += "  ... and " + std::to_string(rows.size() - shown) + " more rows\n";
    text += "\n";
  }
  return text;
}

}  // namespace asyncspy
