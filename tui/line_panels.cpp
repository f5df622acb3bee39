// The panes that consist of lines: details, findings, threads, hot stacks, help; and the bottom line.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "escape.h"
#include "panels.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kHotRows = 2000;
constexpr double kHotFloor = 0.002;  // of all samples: less is noise
constexpr int kMostDepth = 30;       // columns of indentation
constexpr std::size_t kAnyLines = 10'000;

class NoSink final : public Sink {
 public:
  bool write(std::string_view) override { return true; }
};

const Style kPainted(true);

bool is_blank(std::string_view line) { return line.find_first_not_of(' ') == std::string_view::npos; }

// Folds the section under `title`, which ends at an empty line: its heading says how much is hidden.
void fold(std::vector<std::string>& lines, std::string_view title) {
  const auto head = std::ranges::find_if(lines, [title](const std::string& line) { return line.find(title) != std::string::npos; });
  if (head == lines.end()) return;
  const auto end = std::find_if(head + 1, lines.end(), [](const std::string& line) { return is_blank(line); });
  const auto hidden = end - (head + 1);
  *head += fmt::format("  [+ {}]", format_count(static_cast<std::uint64_t>(hidden), "line"));
  lines.erase(head + 1, end);
}

TextOptions painted_options() {
  TextOptions options;
  options.colour = true;
  return options;
}

template <class Put>
std::vector<std::string> capture_lines(const Report& report, const TextOptions& options, Put put) {
  NoSink sink;
  TextPage page(report, options, sink);
  return page.capture([&] { put(page); });
}

std::string paint(Role role, std::string_view text) { return kPainted.paint(role, text); }

}  // namespace

std::vector<std::string> build_details(const Report& report, const TopRow& row, const TopView& view) {
  std::vector<const Task*> tasks;
  for (const std::uint32_t index : row.tasks) {
    if (index < report.tasks.size()) tasks.push_back(&report.tasks[index]);
  }
  if (tasks.empty()) return {"  it is gone"};
  TextOptions options = painted_options();
  options.view = TextView::kTask;
  options.task = format_address(tasks.front()->id);
  std::vector<std::string> lines = capture_lines(report, options, [&](TextPage& page) {
    if (tasks.size() > 1) {
      page.line(paint(Role::kHeading, "GROUP") + "  " + describe_tasks(page, tasks));
      page.line("  all = " + describe_wait(page, tasks));
      page.blank();
      page.line("  One of them:");
    }
    put_chosen_tasks(page);
  });
  if (view.fold_waiters) fold(lines, "WAITED FOR BY");
  if (view.fold_awaited) fold(lines, "  WAITS FOR");
  return lines;
}

std::vector<std::string> build_findings(const Report& report) {
  if (report.findings.empty()) return {"  nothing found wrong"};
  TextOptions options = painted_options();
  options.all_findings = true;
  return capture_lines(report, options, [](TextPage& page) {
    page.show_all(true);
    asyncspy::put_findings(page, kAnyLines);
  });
}

std::vector<std::string> build_threads(const Report& report) {
  TextOptions options = painted_options();
  options.threads = true;
  return capture_lines(report, options, [](TextPage& page) { asyncspy::put_threads(page, kAnyLines); });
}

std::vector<std::string> build_hot_stacks(const LoopRecord* record) {
  if (record == nullptr || record->hot.samples() == 0) return {"  no samples yet"};
  const HotStacks& hot = record->hot;
  std::vector<std::string> lines;
  const double all = static_cast<double>(hot.samples());
  lines.push_back(fmt::format("{}  {} since the start; something ran in {:.1f} % of them", paint(Role::kHeading, "WHAT RAN ON THE LOOP"),
                              format_count(hot.samples(), "sample"), static_cast<double>(hot.executing()) / all * 100));
  for (const HotStacks::Row& row : hot.rows(kHotRows, kHotFloor)) {
    const std::string indent(static_cast<std::size_t>(std::min(row.depth, kMostDepth)) * 2, ' ');
    const double share = static_cast<double>(row.call->samples) / all;
    const std::string percent = fmt::format("{:6.1f} %", share * 100);
    lines.push_back(fmt::format("{}  {}{}  {}", share >= 0.2 ? paint(Role::kWarning, percent) : percent, indent,
                                row.call->function.empty() ? "(not read)" : escape_for_terminal(row.call->function), escape_for_terminal(row.call->file)));
  }
  return lines;
}

std::vector<std::string> build_help() {
  const auto heading = [](std::string_view text) { return paint(Role::kHeading, text); };
  return {
      heading("KEYS"),
      "  up down j k PgUp PgDn Home End   move             left right   scroll a pane sideways",
      "  Enter      all of a group or task                 Esc          back; clears the filter",
      "  F1  ?      this help                              F2   g       groups or single tasks",
      "  F3  /      filter by name, place or wait          F4   i       turn the order round",
      "  F5  f      findings                               F6   > <     sort by the next column",
      "  F7  t      threads                                F8   h       what ran on the loop",
      "  F9  w      all watched processes                  F10  q       quit",
      "  space      freeze: no looks at the process        s    save what is seen as JSON",
      "  n          next loop                              p    next process",
      "  u d        in details: fold who waits for it, fold what it waits for",
      "",
      heading("THE TABLE") + "  equal stacks in one row, what runs on the loop first",
      "  TASKS      how many                               TREND  how many more than ten looks ago",
      "  WAITING    the longest time that one of them was seen at this place in every look",
      "  LOOP       samples in which a task ran in the function under WHERE or what it called (single tasks:",
      "             in which this task ran), of those of about the last minute",
      "  STEPS/s    tasks that were elsewhere in the look before, per second: there may have been more",
      "",
      heading("THE HEADER"),
      "  lag        how late the loop provably is, or how long every sample has found it in the same step;",
      "             beside it the worst of each second of the last minute: 1 5 20 100 500 ms, 2 10 s",
      "  busy       samples in which a step or a callback ran, of those of the last minute",
      "  +/s -/s    tasks that are new, and done or gone, since the look before: there may have been more",
      "  samples    look at what runs without stopping the process; a look stops it for the time that is shown",
  };
}

void draw_lines(Grid& grid, Area area, const std::vector<std::string>& lines, const TopView& view) {
  const auto height = static_cast<std::size_t>(std::max(area.height, 0));
  const std::size_t hidden = lines.size() > height ? lines.size() - height : 0;
  const std::size_t first = std::min(view.scroll, hidden);
  for (std::size_t i = 0; i < height && first + i < lines.size(); ++i) {
    grid.put_painted(area.row + static_cast<int>(i), 0, lines[first + i], view.shift);
  }
}

void draw_keys(Grid& grid, int row, const TopView& view) {
  if (view.is_typing) {
    const int column = grid.put(row, 0, "filter: " + view.filter, Ink::kHeading);
    grid.put(row, column, "_");
    return;
  }
  if (!view.message.empty()) {
    grid.put(row, 0, view.message, Ink::kHeading);
    return;
  }
  std::string text = view.pane == Pane::kTable ? "?Help Enter:Details /Filter gTasks >Sort fFindings tThreads hHot spaceFreeze sSave qQuit"
                                               : "?Help Esc:Back up/down:Scroll left/right:Shift u/d:Fold spaceFreeze sSave qQuit";
  if (!view.filter.empty()) text = "[" + view.filter + "] " + text;
  grid.put(row, 0, text);
  grid.paint_row(row, Ink::kBar);
}

}  // namespace asyncspy
