#include "screen.h"

#include <algorithm>
#include <utility>

#include "catch.h"
#include "sample_report.h"

namespace asyncspy {
namespace {

TopModel make_model() {
  TopModel model;
  model.processes.emplace_back(4242);
  model.processes[0].add_report(sample::make_blocked_service());
  WatchCosts costs;
  costs.last_pause = 0.0012;
  costs.pause_share = 0.0006;
  costs.cpu_share = 0.021;
  costs.memory_bytes = 14 << 20;
  costs.full_interval = 2;
  costs.light_rate = 97;
  model.costs.push_back(costs);
  return model;
}

std::string draw(const TopModel& model, TopView& view, int width = 80, int height = 24, Charset charset = Charset::kUtf8) {
  Grid grid(width, height, charset);
  Screen().draw(grid, model, view);
  return grid.to_text();
}

std::string draw_pane(Pane pane, int width = 80, int height = 24) {
  TopView view;
  view.pane = pane;
  return draw(make_model(), view, width, height);
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("the whole screen of a blocked service at 80x24") {
  TopView view;
  CHECK(draw(make_model(), view) == R"(asyncspy top 4242 09:20:00 UTC  Python 3.11.2  up 3 h 12 min  python3 -m shop...
LOOP BLOCKED for at least 27.3 s  in recvfrom(fd 12: tcp 127.0.0.1:50122 -> 1...
1 finding: P01 the loop is blocked: request-17 waits in recvfrom for 127.0.0....
lag 27.3 s   |                                                      █| 55 s
busy 100 %  ready 52  timers 2, first overdue by 27.3 s  GIL free
tasks 202: 1 running, 201 pending, 0 done
stopped 1.2 ms a look, 0.06 %  asyncspy 2.1 % CPU, 14.0 MiB  a look each 2.0 ...
TASKSv  TREND   WAITING   LOOP NAME        WHERE           WAITS FOR
     1      =         -   0.0% request-17  place_order ... running
   200      =         ?   0.0% Task-3 +199 refresh_pric... timers, 28 overdue...
     1      =         ?   0.0% stock       update_stock... Lock.acquire() on ...












?Help Enter:Details /Filter gTasks >Sort fFindings tThreads hHot spaceFreeze ...
)");
}

TEST_CASE("every pane fits into every size") {
  const TopModel model = make_model();
  for (const Pane pane : {Pane::kTable, Pane::kDetails, Pane::kFindings, Pane::kThreads, Pane::kHotStacks, Pane::kWorkers, Pane::kHelp}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {5, 3}, {20, 8}, {80, 24}, {132, 50}, {300, 100}}) {
      TopView view;
      view.pane = pane;
      const std::string text = draw(model, view, width, height, Charset::kAscii);
      CHECK(static_cast<int>(std::count(text.begin(), text.end(), '\n')) == height);
      for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
        end = text.find('\n', at);
        CHECK(static_cast<int>(end - at) <= width);
      }
    }
  }
}

TEST_CASE("what is wrong is still there at a third of the size") {
  TopView view;
  const std::string text = draw(make_model(), view, 60, 10);
  CHECK(has(text, "LOOP BLOCKED for at least 27.3 s"));
  CHECK(has(text, "1 finding: P01"));
  CHECK(has(text, "TASKSv"));
}

TEST_CASE("ASCII locales get ASCII") {
  TopView view;
  const std::string text = draw(make_model(), view, 80, 24, Charset::kAscii);
  CHECK(std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  CHECK(has(text, "#| 55 s"));
}

TEST_CASE("details show the stack, the wait and who waits, of the selected row") {
  TopView view;
  const TopModel model = make_model();
  const std::vector<TopRow> rows = [&] {
    auto all = model.processes[0].rows(RowUnit::kGroups, -1);
    sort_rows(all, view.sort, view.descending);
    return all;
  }();
  const KeyContext context{.rows = rows};
  apply_key(view, {KeyKind::kDown}, context);
  apply_key(view, {KeyKind::kEnter}, context);
  const std::string text = draw(model, view, 120, 40);
  CHECK(has(text, "GROUP  200 tasks"));
  CHECK(has(text, "refresh_price"));
  CHECK(has(text, "/srv/shop/prices.py:12"));
  CHECK(has(text, "WAITED FOR BY"));
  view.selected = 1;  // no row has this key
  CHECK(has(draw(model, view), "it is gone"));
}

TEST_CASE("both directions of the await graph fold") {
  sample::ReportBuilder b;
  b.loop(LoopState::kIdle);
  const Address inner = b.task("inner", OnTimer{2000, 10}).id;
  const Address middle = b.task("middle", OnTask{inner}).id;
  b.task("outer", OnTask{middle});
  b.group(1, 1);
  TopModel model;
  model.processes.emplace_back(4242);
  model.processes[0].add_report(std::move(b.report));
  TopView view;
  view.pane = Pane::kDetails;
  view.selected = model.processes[0].rows(RowUnit::kGroups, -1)[0].key;
  std::string text = draw(model, view, 100, 40);
  CHECK(has(text, "WAITED FOR BY  1 directly, 1 task in all"));
  CHECK(has(text, "outer"));
  CHECK(has(text, "inner"));
  view.fold_waiters = true;
  text = draw(model, view, 100, 40);
  CHECK_FALSE(has(text, "outer"));
  CHECK(has(text, "[+ 1 line]"));
  view.fold_waiters = false;
  view.fold_awaited = true;
  text = draw(model, view, 100, 40);
  CHECK(has(text, "outer"));
  CHECK(has(text, "WAITS FOR  [+"));
}

TEST_CASE("the panes of lines show what they are named after") {
  CHECK(has(draw_pane(Pane::kFindings), "P01 error (observed)"));
  CHECK(has(draw_pane(Pane::kThreads), "3 threads  pool_0..pool_2"));
  CHECK(has(draw_pane(Pane::kHelp, 100, 40), "F10  q       quit"));
  CHECK(has(draw_pane(Pane::kHotStacks), "1 sample since the start"));
  CHECK(has(draw_pane(Pane::kWorkers), "4242 live            1     202   100%     27.3 s  BLOCKED"));
}

TEST_CASE("a pane of lines scrolls to its end and no further, and sideways") {
  TopView view;
  view.pane = Pane::kHelp;
  const TopModel model = make_model();
  view.scroll = 100000;
  const std::string text = draw(model, view);
  CHECK(has(text, "a look stops it"));
  view.scroll = 0;
  view.shift = 2;
  CHECK(has(draw(model, view), "YS\n"));
}

TEST_CASE("the selected row is always on the screen") {
  sample::ReportBuilder b;
  b.loop(LoopState::kIdle);
  for (int i = 0; i < 300; ++i) {
    b.task("Task-" + std::to_string(i), OnTimer{2000, 10}).stack = {b.frame(FrameKind::kCoroutine, "work", "/srv/work.py", i + 1)};
    b.group(static_cast<std::uint32_t>(i), 1);
  }
  TopModel model;
  model.processes.emplace_back(4242);
  model.processes[0].add_report(std::move(b.report));
  TopView view;
  Screen screen;
  Grid grid(80, 24);
  screen.draw(grid, model, view);
  for (const KeyKind kind : {KeyKind::kPageDown, KeyKind::kPageDown, KeyKind::kEnd, KeyKind::kPageUp, KeyKind::kUp, KeyKind::kHome}) {
    apply_key(view, {kind}, screen.context(model, view));
    Grid next(80, 24);
    screen.draw(next, model, view);
    int marked = 0;
    for (int row = 0; row < next.height(); ++row) marked += next.at(row, 0).ink == Ink::kSelected ? 1 : 0;
    CHECK(marked == 1);
  }
}

TEST_CASE("a process that has ended says so, and its last look stays") {
  TopModel model = make_model();
  model.processes[0].set_status(WatchStatus::kGone, "process 4242: has ended: this is the last look");
  TopView view;
  const std::string text = draw(model, view);
  CHECK(has(text, "process 4242: has ended: this is the last look"));
  CHECK(has(draw(model, view, 160, 24), "place_order"));
}

TEST_CASE("without a process the screen says what is awaited") {
  TopModel model;
  model.waiting_for = "gunicorn";
  TopView view;
  CHECK(has(draw(model, view), "waiting for a Python process called gunicorn"));
}

TEST_CASE("a screen can be drawn of nothing that was read yet") {
  TopModel model;
  model.processes.emplace_back(7);
  TopView view;
  CHECK(has(draw(model, view), "first look"));
}

TEST_CASE("a batch shows the same as plain ASCII, one part for each process") {
  TopModel model = make_model();
  model.processes.emplace_back(7);
  model.costs.emplace_back();
  const std::string text = render_batch(model, {}, 160, Charset::kAscii);
  CHECK(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c < 0x7f); }));
  CHECK(has(text, "LOOP BLOCKED for at least 27.3 s"));
  CHECK(has(text, "request-17"));
  CHECK(has(text, "asyncspy top 7 (2/2)"));
}

TEST_CASE("control sequences of the target reach no screen") {
  Report report = sample::make_blocked_service();
  const std::string evil = "\x1b]0;owned\x07\x1b[2J\xff";
  report.process.command_line = {evil};
  report.tasks[0].name = evil;
  for (Function& function : report.functions) function.qualified_name = function.file = evil;
  report.threads[0].name = evil;
  report.findings[0].sentence = evil;
  TopModel model;
  model.processes.emplace_back(4242);
  model.processes[0].add_report(std::move(report));
  for (const Pane pane : {Pane::kTable, Pane::kDetails, Pane::kFindings, Pane::kThreads, Pane::kHotStacks, Pane::kWorkers}) {
    TopView view;
    view.pane = pane;
    view.selected = model.processes[0].rows(RowUnit::kGroups, -1)[0].key;
    const std::string text = draw(model, view, 200, 50);
    CHECK(std::ranges::none_of(text, [](char c) { return c == '\x1b' || c == '\x07' || c == '\xff'; }));
  }
}

}  // namespace
}  // namespace asyncspy
