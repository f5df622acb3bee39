// The main table and the table of workers.
#include <fmt/format.h>

#include <algorithm>

#include "panels.h"
#include "words.h"

namespace asyncspy {
namespace {

// Columns of numbers have a fixed width, those of words share the rest.
constexpr int kCountWidth = 7;
constexpr int kTrendWidth = 7;
constexpr int kWaitingWidth = 10;
constexpr int kShareWidth = 7;
constexpr int kStepsWidth = 9;
constexpr int kNumbers = kCountWidth + kTrendWidth + kWaitingWidth + kShareWidth;
constexpr int kRoomForSteps = 100;  // columns: a narrower screen needs them for words, unless it is sorted by steps

struct Columns {
  bool steps = true;
  int name = 0;
  int where = 0;
};

Columns divide(int width, const TopView& view) {
  Columns columns;
  columns.steps = width >= kRoomForSteps || view.sort == SortColumn::kSteps;
  const int rest = std::max(0, width - kNumbers - (columns.steps ? kStepsWidth : 0));
  columns.name = std::clamp(rest / 4, 8, 28);
  columns.where = std::max(10, (rest - columns.name) * 45 / 100);
  return columns;
}

std::string right(const std::string& text, int width) { return fmt::format("{:>{}} ", text, width - 1); }

std::string show_share(const std::optional<double>& share) { return share ? fmt::format("{:.1f}%", *share * 100) : "?"; }
std::string show_steps(const std::optional<double>& steps) { return steps ? fmt::format("{:.1f}", *steps) : "?"; }
std::string show_waiting(const TopRow& row) {
  if (row.running) return "-";
  return row.waiting ? *row.waiting < 0.0005 ? "0" : format_duration(*row.waiting) : "?";
}
std::string show_trend(std::int64_t trend) { return trend == 0 ? "=" : fmt::format("{:+}", trend); }

void put_titles(Grid& grid, int row, const TopView& view, const Columns& columns) {
  const auto title = [&](SortColumn column, std::string_view words) {
    return std::string(words) + (view.sort == column ? (view.descending ? "v" : "^") : "");
  };
  std::string numbers = right(title(SortColumn::kCount, "TASKS"), kCountWidth) + right(title(SortColumn::kTrend, "TREND"), kTrendWidth) +
                        right(title(SortColumn::kWaiting, "WAITING"), kWaitingWidth) + right(title(SortColumn::kShare, "LOOP"), kShareWidth);
  if (columns.steps) numbers += right(title(SortColumn::kSteps, "STEPS/s"), kStepsWidth);
  int column = grid.put(row, 0, numbers);
  grid.put(row, column, title(SortColumn::kName, "NAME"), Ink::kPlain, columns.name - 1);
  grid.put(row, column + columns.name, title(SortColumn::kWhere, "WHERE"), Ink::kPlain, columns.where - 1);
  grid.put(row, column + columns.name + columns.where, title(SortColumn::kWaits, "WAITS FOR"));
  grid.paint_row(row, Ink::kBar);
}

void put_row(Grid& grid, int at, const TopRow& row, const Columns& columns) {
  int column = grid.put(at, 0, right(std::to_string(row.count), kCountWidth));
  column = grid.put(at, column, right(show_trend(row.trend), kTrendWidth), row.trend > 0 ? Ink::kWarning : Ink::kPlain);
  column = grid.put(at, column, right(show_waiting(row), kWaitingWidth));
  column = grid.put(at, column, right(show_share(row.share), kShareWidth), row.share.value_or(0) > 0.5 ? Ink::kWarning : Ink::kPlain);
  if (columns.steps) column = grid.put(at, column, right(show_steps(row.steps), kStepsWidth));
  grid.put(at, column, row.name, row.running ? Ink::kBlocked : Ink::kName, columns.name - 1);
  grid.put(at, column + columns.name, row.where, Ink::kLocation, columns.where - 1);
  grid.put(at, column + columns.name + columns.where, row.waits);
}

std::string_view describe_status(WatchStatus status) {
  switch (status) {
    case WatchStatus::kStarting: return "starting";
    case WatchStatus::kLive: return "live";
    case WatchStatus::kGone: return "gone";
    case WatchStatus::kUnreadable: return "unreadable";
    case WatchStatus::kAwaited: return "awaited";
  }
  return "";
}

constexpr const char* kWorkerForm = "{:>9} {:<10} {:>6} {:>7} {:>6} {:>10}  ";

void put_worker(Grid& grid, int at, const ProcessModel& process) {
  const auto& report = process.report();
  if (!report) {
    const int column = grid.put(at, 0, fmt::format(kWorkerForm, process.pid(), describe_status(process.status()), "-", "-", "-", "-"));
    grid.put(at, column, process.status_text());
    return;
  }
  // The loop that is worst off speaks for the process.
  const Loop* worst = nullptr;
  double lag = 0;
  std::optional<double> busy;
  for (const Loop& loop : report->loops) {
    const LoopRecord* record = process.find_loop(loop.id);
    const double seconds = record == nullptr ? 0 : record->history.in_step_seconds();
    if (worst != nullptr && seconds <= lag) continue;
    worst = &loop;
    lag = seconds;
    busy = record == nullptr ? std::nullopt : record->history.utilisation();
  }
  const int column = grid.put(at, 0, fmt::format(kWorkerForm, process.pid(), describe_status(process.status()), report->loops.size(),
                                                 report->tasks.size(), busy ? fmt::format("{:.0f}%", *busy * 100) : "?",
                                                 lag < 0.001 ? "none" : format_duration(lag)));
  if (!process.status_text().empty()) {
    grid.put(at, column, process.status_text(), Ink::kWarning);
  } else if (worst != nullptr) {
    const LoopWords words = describe_loop_now(*report, *worst, process.find_loop(worst->id));
    std::string text = words.text;
    if (!report->findings.empty() && is_alarm(report->findings.front())) text += "  " + report->findings.front().rule + " " + report->findings.front().sentence;
    grid.put(at, column, text, words.ink);
  } else {
    grid.put(at, column, "no event loop", Ink::kDim);
  }
}

}  // namespace

void draw_table(Grid& grid, Area area, const std::vector<TopRow>& rows, const TopView& view, TableScroll scroll) {
  const Columns columns = divide(grid.width(), view);
  put_titles(grid, area.row, view, columns);
  if (rows.empty()) {
    grid.put(area.row + 1, 0, view.filter.empty() ? "  no tasks" : "  no task matches the filter", Ink::kDim);
    return;
  }
  for (int i = 0; i + 1 < area.height; ++i) {
    const std::size_t index = scroll.first + static_cast<std::size_t>(i);
    if (index >= rows.size()) return;
    put_row(grid, area.row + 1 + i, rows[index], columns);
    if (index == scroll.cursor) grid.paint_row(area.row + 1 + i, Ink::kSelected);
  }
}

void draw_workers(Grid& grid, Area area, const TopModel& model, const TopView& view) {
  grid.put(area.row, 0, fmt::format(kWorkerForm, "PID", "PROCESS", "LOOPS", "TASKS", "BUSY", "LAG") + "STATE");
  grid.paint_row(area.row, Ink::kBar);
  const int room = std::max(1, area.height - 1);
  const std::size_t first = view.worker >= static_cast<std::size_t>(room) ? view.worker - static_cast<std::size_t>(room) + 1 : 0;
  for (int i = 0; i < room; ++i) {
    const std::size_t index = first + static_cast<std::size_t>(i);
    if (index >= model.processes.size()) return;
    put_worker(grid, area.row + 1 + i, model.processes[index]);
    if (index == view.worker) grid.paint_row(area.row + 1 + i, Ink::kSelected);
  }
}

}  // namespace asyncspy
