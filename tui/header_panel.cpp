// The first lines of the screen: what is wrong now, and what it costs to know.
#include <fmt/format.h>

#include <algorithm>

#include "panels.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr double kLongStep = 0.1;  // seconds: a step that takes longer keeps everything else waiting

const WatchCosts* find_costs(const TopModel& model, const TopView& view) {
  return view.process < model.costs.size() ? &model.costs[view.process] : nullptr;
}

void put_process(Grid& grid, int row, const TopModel& model, const TopView& view, const ProcessModel& process) {
  int column = grid.put(row, 0, "asyncspy top ", Ink::kHeading);
  if (view.is_frozen) column = grid.put(row, column, "FROZEN ", Ink::kWarning);
  std::string text = fmt::format("{} ", process.pid());
  if (model.processes.size() > 1) text += fmt::format("({}/{}) ", view.process + 1, model.processes.size());
  if (const auto& report = process.report()) {
    const std::string when = format_instant(report->capture.realtime_ns);
    if (when.size() >= 19) text += when.substr(11, 8) + " UTC  ";
    text += fmt::format("Python {}  up {}  {}  ", report->python.version, format_duration(report->process.uptime_seconds),
                        describe_command(report->process));
  }
  grid.put(row, column, text);
}

void put_status(Grid& grid, int row, const ProcessModel& process) {
  if (process.status() == WatchStatus::kStarting) grid.put(row, 0, process.status_text().empty() ? "first look ..." : process.status_text(), Ink::kDim);
  else grid.put(row, 0, process.status_text(), process.status() == WatchStatus::kLive ? Ink::kWarning : Ink::kBlocked);
}

void put_loop(Grid& grid, int row, const Report& report, const Loop* loop, const LoopRecord* record, const TopView& view) {
  if (loop == nullptr) {
    grid.put(row, 0, report.asyncio == AsyncioPresence::kImported ? "LOOP  none: asyncio is imported, no loop was found" : "LOOP  none: asyncio is not imported", Ink::kDim);
    return;
  }
  int column = grid.put(row, 0, report.loops.size() > 1 ? fmt::format("LOOP {}/{} ", view.loop + 1, report.loops.size()) : "LOOP ", Ink::kHeading);
  const LoopWords words = describe_loop_now(report, *loop, record);
  column = grid.put(row, column, words.text, words.ink);
  if (loop->thread < 0 || static_cast<std::size_t>(loop->thread) >= report.threads.size()) return;
  const Thread& thread = report.threads[static_cast<std::size_t>(loop->thread)];
  const bool executes = loop->state == LoopState::kBlocked || loop->state == LoopState::kRunning;
  if (executes && thread.system_call && !thread.on_cpu) grid.put(row, column, "  in " + describe_system_call(*thread.system_call));
  else if (executes && thread.on_cpu) grid.put(row, column, "  on the CPU");
}

void put_lag(Grid& grid, int row, const LoopRecord* record) {
  const double now = record == nullptr ? 0 : record->history.in_step_seconds();
  int column = grid.put(row, 0, "lag ", Ink::kDim);
  column = grid.put(row, column, fmt::format("{:<9}", now < 0.001 ? "none" : format_duration(now)), now >= kLongStep ? Ink::kBlocked : Ink::kPlain);
  if (record == nullptr) return;
  const auto lags = record->history.lags();
  const int room = grid.width() - column - 12;
  const auto shown = static_cast<std::size_t>(std::clamp(room, 0, kHistorySeconds));
  const std::vector<std::optional<double>> last(lags.end() - static_cast<std::ptrdiff_t>(shown), lags.end());
  column = grid.put(row, column, "|", Ink::kDim);
  column = grid.put(row, column, render_sparkline(last, grid.is_ascii() ? SparklineStyle::kAscii : SparklineStyle::kBlocks), Ink::kLocation);
  grid.put(row, column, fmt::format("| {} s", shown), Ink::kDim);
}

void put_queues(Grid& grid, int row, const Report& report, const Loop* loop, const LoopRecord* record) {
  std::string text;
  if (loop != nullptr) {
    const std::optional<double> share = record == nullptr ? std::nullopt : record->history.utilisation();
    text = share ? fmt::format("busy {:.0f} %", *share * 100) : "busy ?";
    const std::optional<std::uint64_t> ready = record != nullptr && record->history.last().ready ? record->history.last().ready : loop->ready;
    text += ready ? fmt::format("  ready {}", *ready) : "  ready ?";
    text += fmt::format("  timers {}", std::ranges::count(loop->timers, false, &Timer::cancelled));
    if (record != nullptr && record->history.last().next_timer) {
      const double left = *record->history.last().next_timer;
      text += left < 0 ? ", first overdue by " + format_duration(-left) : ", next in " + format_duration(left);
    }
  }
  const auto holder = std::ranges::find(report.threads, true, &Thread::holds_gil);
  text += holder == report.threads.end() ? "  GIL free" : fmt::format("  GIL {} ({})", holder->tid, holder->name);
  grid.put(row, 0, text);
}

void put_tasks(Grid& grid, int row, const ProcessModel& process) {
  const Report& report = *process.report();
  std::uint64_t running = 0;
  std::uint64_t pending = 0;
  std::uint64_t done = 0;
  for (const Task& task : report.tasks) {
    if (task.running) ++running;
    else if (task.state == TaskState::kPending) ++pending;
    else ++done;
  }
  std::string text = fmt::format("tasks {}: {} running, {} pending, {} done", report.tasks.size(), running, pending, done);
  if (process.rates()) text += fmt::format("  +{:.1f}/s -{:.1f}/s", process.rates()->created, process.rates()->finished);
  if (!report.gaps.empty()) text += fmt::format("  {} not read", format_count(report.gaps.size(), "value"));
  grid.put(row, 0, text);
}

void put_findings(Grid& grid, int row, const Report& report) {
  const auto alarms = std::ranges::count_if(report.findings, [](const Finding& each) { return is_alarm(each); });
  if (report.findings.empty()) {
    grid.put(row, 0, "nothing found wrong", Ink::kGood);
    return;
  }
  const Finding& first = report.findings.front();
  const Ink ink = !is_alarm(first) ? Ink::kDim : first.severity == Severity::kError ? Ink::kBlocked : Ink::kWarning;
  const std::string count = alarms > 0 ? format_count(static_cast<std::uint64_t>(alarms), "finding") : format_count(report.findings.size(), "note");
  grid.put(row, 0, fmt::format("{}: {} {}", count, first.rule, first.sentence), ink);
}

void put_costs(Grid& grid, int row, const ProcessModel& process, const WatchCosts& costs) {
  std::string text;
  if (costs.no_pause) {
    text = "never stopped (values may be torn)";
  } else if (process.report()) {
    text = fmt::format("stopped {} a look, {:.2f} %", format_duration(costs.last_pause), costs.pause_share * 100);
  }
  text += fmt::format("  asyncspy {:.1f} % CPU, {}", costs.cpu_share * 100, format_bytes(costs.memory_bytes));
  if (costs.full_interval > 0) text += fmt::format("  a look each {}", format_duration(costs.full_interval));
  text += costs.light_problem.empty() ? fmt::format(", {:.0f} samples/s", costs.light_rate) : ", no samples: " + costs.light_problem;
  grid.put(row, 0, text, Ink::kDim);
}

}  // namespace

const Loop* find_chosen_loop(const ProcessModel& process, const TopView& view) {
  if (!process.report() || process.report()->loops.empty()) return nullptr;
  const std::vector<Loop>& loops = process.report()->loops;
  return &loops[std::min(view.loop, loops.size() - 1)];
}

LoopWords describe_loop_now(const Report& report, const Loop& loop, const LoopRecord* record) {
  // A sample that is newer than the report knows better.
  const bool is_newer = record != nullptr && !record->history.is_empty() && record->history.last_time() >= report.capture.loop_time().value_or(0);
  const LoopState state = is_newer ? record->history.last().state : loop.state;
  const double seconds = record != nullptr ? record->history.in_step_seconds() : loop.late ? loop.late->seconds : 0;
  const Headline headline = describe_loop_state(state);
  const bool executes = state == LoopState::kRunning || state == LoopState::kBlocked;
  LoopWords words{std::string(headline.words), to_ink(headline.role)};
  if (state == LoopState::kIdle) words.text = "idle";
  if (executes && seconds >= kLongStep) {
    words.text = fmt::format("{} for at least {}", headline.words, format_duration(seconds));
    if (state == LoopState::kRunning) words.text += " in one step";
  }
  return words;
}

void draw_header(Grid& grid, Area area, const TopModel& model, const TopView& view) {
  if (view.process >= model.processes.size()) {
    grid.put(area.row, 0, "asyncspy top ", Ink::kHeading);
    grid.put(area.row + 1, 0, model.waiting_for.empty() ? "no process" : "waiting for a Python process called " + model.waiting_for, Ink::kWarning);
    return;
  }
  const ProcessModel& process = model.processes[view.process];
  int row = area.row;
  put_process(grid, row++, model, view, process);
  const auto& report = process.report();
  if (!process.status_text().empty() || !report) put_status(grid, row++, process);
  if (!report) return;
  const Loop* loop = find_chosen_loop(process, view);
  const LoopRecord* record = loop == nullptr ? nullptr : process.find_loop(loop->id);
  put_loop(grid, row++, *report, loop, record, view);
  put_findings(grid, row++, *report);
  put_lag(grid, row++, record);
  put_queues(grid, row++, *report, loop, record);
  const bool has_room = row + 2 <= area.row + area.height;
  put_tasks(grid, row++, process);
  if (const WatchCosts* costs = find_costs(model, view); costs != nullptr && has_room) put_costs(grid, row, process, *costs);
}

}  // namespace asyncspy
