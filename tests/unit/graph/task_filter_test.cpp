#include "task_filter.h"

#include "catch.h"
#include "sample_graph.h"

namespace asyncspy {
namespace {

using Indices = std::vector<std::uint32_t>;

Indices selected(const Report& report, const TaskFilter& filter) {
  Indices found;
  const std::vector<bool> flags = select_tasks(report, filter);
  for (std::uint32_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) found.push_back(i);
  }
  return found;
}

TaskFilter filter_of(std::vector<std::string> TaskFilter::*kind, std::vector<std::string> words) {
  TaskFilter filter;
  filter.*kind = std::move(words);
  return filter;
}

// Task 0 runs, 1 waits for a lock, 2 is finished, 3 gathers, 4 has no stack.
Report make_report() {
  Report report = sample::make_tasks({{}, {}, {}, {0, 1}, {}});
  report.functions = {{"handle", "Server.handle", "/srv/shop/server.py", 1}, {"acquire", "Lock.acquire", "/usr/lib/asyncio/locks.py", 1}};
  report.names = {"renamed", "CythonType"};
  Frame handle;
  handle.function = 0;
  Frame acquire;
  acquire.function = 1;
  Frame renamed = handle;
  renamed.name = 0;
  Frame opaque;
  opaque.type_name = 1;
  report.tasks[0].stack = {handle};
  report.tasks[1].stack = {handle, acquire};
  report.tasks[2].stack = {renamed};
  report.tasks[3].stack = {opaque};
  report.tasks[0].running = true;
  report.tasks[0].wait = Running{};
  OnPrimitive lock;
  lock.kind = "Lock";
  report.tasks[1].wait = lock;
  report.tasks[2].state = TaskState::kFinished;
  report.tasks[2].wait = Done{};
  report.loops.resize(2);
  report.loops[0].type = "asyncio.unix_events._UnixSelectorEventLoop";
  report.loops[1].type = "uvloop.Loop";
  for (Task& task : report.tasks) task.loop = 0;
  report.tasks[3].loop = 1;
  report.tasks[4].loop = -1;
  return report;
}

}  // namespace

TEST_CASE("a pattern without wildcards is any part of the text, one with them is the whole") {
  CHECK(Pattern("shop").matches("/srv/shop/x.py"));
  CHECK_FALSE(Pattern("Shop").matches("/srv/shop/x.py"));
  CHECK(Pattern("").matches("anything"));
  CHECK(Pattern("*.py").matches("/srv/x.py"));
  CHECK_FALSE(Pattern("x?py").matches("/srv/x.py"));
  CHECK(Pattern("/srv/x?py").matches("/srv/x.py"));
  CHECK(Pattern("worker-[0-9]").matches("worker-7"));
  CHECK_FALSE(Pattern("worker-[!0-9]").matches("worker-7"));
  CHECK(Pattern("[]x]*").matches("]abc"));
  CHECK(Pattern("[oops").matches("[oops"));
  CHECK_FALSE(Pattern("[oops").matches("a[oops"));
  CHECK(Pattern("a*b*c").matches("a--b--b--c"));
  CHECK_FALSE(Pattern("a*b*c").matches("a--b--b--cd"));
  CHECK(Pattern("*").matches(""));
  CHECK_FALSE(Pattern("?").matches(""));
  CHECK(Pattern("x*").matches(std::string_view("x\0y", 3)));
  CHECK(Pattern("*\xff").matches("\x80\xff"));
  CHECK_FALSE(Pattern("lock").matches_whole("rlock"));
  CHECK(Pattern("*lock").matches_whole("rlock"));
}

TEST_CASE("a pattern of many stars ends in good time") {
  CHECK_FALSE(Pattern("*a*a*a*a*a*a*a*a*a*a*a*a*b").matches(std::string(20'000, 'a')));
}

TEST_CASE("an empty filter selects every task") { CHECK(selected(make_report(), {}) == Indices{0, 1, 2, 3, 4}); }

TEST_CASE("tasks are selected by name, state, function, file, wait and loop") {
  const Report report = make_report();
  CHECK(selected(report, filter_of(&TaskFilter::names, {"t1", "t3"})) == Indices{1, 3});
  CHECK(selected(report, filter_of(&TaskFilter::names, {"t[0-2]"})) == Indices{0, 1, 2});
  CHECK(selected(report, filter_of(&TaskFilter::states, {"running"})) == Indices{0});
  CHECK(selected(report, filter_of(&TaskFilter::states, {"pending"})) == Indices{1, 3, 4});
  CHECK(selected(report, filter_of(&TaskFilter::states, {"finished", "running"})) == Indices{0, 2});
  CHECK(selected(report, filter_of(&TaskFilter::functions, {"Server.handle"})) == Indices{0, 1});
  CHECK(selected(report, filter_of(&TaskFilter::functions, {"renamed", "Cython*"})) == Indices{2, 3});
  CHECK(selected(report, filter_of(&TaskFilter::files, {"shop"})) == Indices{0, 1, 2});
  CHECK(selected(report, filter_of(&TaskFilter::files, {"*/locks.py"})) == Indices{1});
  CHECK(selected(report, filter_of(&TaskFilter::waits, {"LOCK"})) == Indices{1});
  CHECK(selected(report, filter_of(&TaskFilter::waits, {"primitive", "gather"})) == Indices{1, 3});
  CHECK(selected(report, filter_of(&TaskFilter::waits, {"loc"})).empty());
  CHECK(selected(report, filter_of(&TaskFilter::loops, {"1"})) == Indices{0, 1, 2});
  CHECK(selected(report, filter_of(&TaskFilter::loops, {"uvloop"})) == Indices{3});
  CHECK(selected(report, filter_of(&TaskFilter::loops, {"0"})).empty());
  CHECK(selected(report, filter_of(&TaskFilter::loops, {"99999999999999999999999"})).empty());
}

TEST_CASE("conditions of different kinds must all be met") {
  TaskFilter filter;
  filter.functions = {"handle"};
  filter.waits = {"lock"};
  CHECK(selected(make_report(), filter) == Indices{1});
  filter.states = {"finished"};
  CHECK(selected(make_report(), filter).empty());
}

TEST_CASE("indices that point nowhere select nothing") {
  Report report = make_report();
  report.tasks[0].loop = 99;
  report.tasks[0].stack[0].function = 99;
  report.tasks[0].stack[0].name = 99;
  CHECK(selected(report, filter_of(&TaskFilter::loops, {"*"})) == Indices{1, 2, 3});
  CHECK(selected(report, filter_of(&TaskFilter::functions, {"handle"})) == Indices{1});
}

TEST_CASE("a word means a task by its id, then by its name, then as a pattern") {
  Report report = make_report();
  report.tasks[4].name = "t";
  CHECK(find_tasks_named(report, "0x7f0000000040") == Indices{1});
  CHECK(find_tasks_named(report, "t") == Indices{4});
  CHECK(find_tasks_named(report, "t?") == Indices{0, 1, 2, 3});
  CHECK(find_tasks_named(report, "0x7").empty());
  CHECK(find_tasks_named(report, "0xzz").empty());
  CHECK(find_tasks_named(report, "").empty());
  report.tasks[2].name = "0x7f0000000040 of old";
  CHECK(find_tasks_named(report, "0x7f0000000040") == Indices{1});
  CHECK(find_tasks_named(report, "of old") == Indices{2});
}

}  // namespace asyncspy
