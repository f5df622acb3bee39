#include "dot_report.h"

#include <algorithm>

#include "catch.h"
#include "groups.h"
#include "sample_graph.h"

namespace asyncspy {
namespace {

using Waits = std::vector<std::vector<std::size_t>>;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

Report make_tasks(const Waits& waits) {
  Report report = sample::make_tasks(waits);
  report.process.pid = 4242;
  report.functions = {{"work", "work", "/srv/app.py", 1}};
  Frame frame;
  frame.function = 0;
  frame.line = 12;
  for (Task& task : report.tasks) task.stack = {frame};
  report.groups = build_groups(report.tasks);
  return report;
}

}  // namespace

TEST_CASE("tasks are boxes, what they wait for is where the arrows lead") {
  const std::string text = render_dot(make_tasks(Waits{{1, 2, 3}, {4}, {}, {}, {}}), {});
  CHECK(text.starts_with("digraph asyncspy {\n"));
  CHECK(text.ends_with("}\n"));
  CHECK(contains(text, "label=\"process 4242, 5 tasks\""));
  CHECK(contains(text, "r0 [shape=box, label=\"t0\\lwork\\l/srv/app.py:12\\lwaits for gather(), 3 of 3 pending: t1..t3\\l\"];\n"));
  CHECK(contains(text, "label=\"2 tasks  t2, t3\\l"));
  CHECK(count(text, " -> ") == 3);
  CHECK(count(text, "[label=\"gather\"]") == 2);
}

TEST_CASE("ten thousand equal tasks are one box, and their shared future is another") {
  Report report = make_tasks(Waits(10'000));
  for (Task& task : report.tasks) {
    OnFuture wait;
    wait.future = Address{0x5000};
    task.wait = wait;
  }
  const std::string text = render_dot(report, {});
  CHECK(count(text, "[shape=") == 3);  // with the default of nodes
  CHECK(contains(text, "10,000 tasks  t0..t9999"));
  CHECK(contains(text, "[shape=ellipse, label=\"future 0x5000\\l\"]"));
}

TEST_CASE("cycles are red") {
  const std::string text = render_dot(make_tasks(Waits{{1}, {0}}), {});
  CHECK(count(text, "color=red") == 4);
}

TEST_CASE("a picture of too many boxes is cut and says so") {
  const Report report = make_tasks(sample::make_random(1000, 3000, 3));
  const std::string cut = render_dot(report, {});
  CHECK(contains(cut, "--all draws them"));
  CHECK(count(cut, "  r") < 4000);
  const std::string all = render_dot(report, {.all = true});
  CHECK_FALSE(contains(all, "--all draws them"));
  CHECK(all.size() > cut.size());
}

TEST_CASE("a filter is said in the picture") {
  DotOptions options;
  options.filter.names = {"t1"};
  const std::string text = render_dot(make_tasks(Waits{{1}, {2}, {}}), options);
  CHECK(contains(text, "3 tasks, of which 2 are drawn: the others do not pass the filter"));
  CHECK_FALSE(contains(text, "\"t0"));
}

TEST_CASE("quotes, backslashes, entities and escape sequences in names stay inside their label") {
  CHECK(escape_for_dot("a\"b\\c&lt;") == "a\\\"b\\\\c&amp;lt;");
  Report report = make_tasks(Waits{{1}, {}});
  const std::string evil = "\"]; evil [label=\"\\N\x1b[31m\n&lt;";
  report.tasks[0].name = evil;
  report.functions[0] = {evil, evil, evil, 1};
  std::get<OnTask>(report.tasks[0].wait).construct = evil;
  const std::string text = render_dot(report, {});
  CHECK_FALSE(contains(text, "\x1b"));
  CHECK(contains(text, R"(\"]; evil [label=\"\\N\\x1b[31m\\n&amp;lt;)"));
  CHECK_FALSE(contains(text, "&lt;"));
  CHECK(std::ranges::count(text, '\n') == 8);  // head 4, boxes 2, arrow 1, end 1: no line of the target's
}

}  // namespace asyncspy
