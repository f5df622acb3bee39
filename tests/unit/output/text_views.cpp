#include <algorithm>
#include <string>

#include "catch.h"
#include "groups.h"
#include "sample_graph.h"
#include "sample_report.h"
#include "text_report.h"

namespace asyncspy {
namespace {

using Waits = std::vector<std::vector<std::size_t>>;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t count_lines(const std::string& text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

std::string section(const std::string& text, std::string_view heading) {
  const std::size_t at = text.find(heading);
  return at == std::string::npos ? "" : text.substr(at);
}

Report make_tasks(const Waits& waits) {
  Report report = sample::make_tasks(waits);
  report.asyncio = AsyncioPresence::kImported;
  report.loops.resize(1);
  for (Task& task : report.tasks) task.loop = 0;
  report.functions = {{"work", "work", "/srv/app.py", 1}};
  Frame frame;
  frame.function = 0;
  frame.line = 12;
  frame.kind = FrameKind::kCoroutine;
  for (Task& task : report.tasks) task.stack = {frame};
  report.groups = build_groups(report.tasks);
  return report;
}

std::string render_tree(const Report& report, bool all = false) {
  TextOptions options;
  options.view = TextView::kTree;
  options.all = all;
  return section(render_text(report, options), "TASKS");
}

std::string render_task(const Report& report, const std::string& task) {
  TextOptions options;
  options.view = TextView::kTask;
  options.task = task;
  return render_text(report, options);
}

Primitive make_lock(Address id, std::vector<Holder> holders) {
  Primitive lock;
  lock.id = id;
  lock.kind = "Lock";
  lock.type = "asyncio.locks.Lock";
  lock.holders = std::move(holders);
  return lock;
}

}  // namespace

TEST_CASE("the tree shows below each task what it waits for, equal branches once") {
  Report report = make_tasks(Waits{{1, 2, 3, 4}, {5}, {}, {}, {}, {}});
  report.tasks[1].wait = OnTask{sample::task_address(5), "await"};
  for (Task& task : report.tasks) {
    if (std::holds_alternative<OnTimer>(task.wait)) task.wait = OnTimer{1003, 3};
  }
  report.groups = build_groups(report.tasks);
  CHECK(render_tree(report) == R"(TASKS  6 in 1 tree: what a task waits for stands below it
  t0  work  /srv/app.py:12
  |   = waits for gather, 4 of 4 pending
  |- t1  work  /srv/app.py:12
  |  `- t5  work  /srv/app.py:12
  |         = waits for timer, fires in 3.0 s
  `- 3 tasks  t2..t4  work  /srv/app.py:12
         = wait for timers, fire in 3.0 s
)");
}

TEST_CASE("a cycle is named before the tree and marked in it") {
  const std::string text = [&] {
    TextOptions options;
    options.view = TextView::kTree;
    return render_text(make_tasks(Waits{{1}, {2}, {3}, {1}}), options);
  }();
  CHECK(contains(text, "CYCLE  t1 -> t2 -> t3 -> t1  each waits for the next\n"));
  CHECK(contains(text, "= CYCLE: waits for t1 (shown above), which in turn waits for this\n"));
}

TEST_CASE("in a diamond every task has one line, and the rest are references") {
  const std::string text = render_tree(make_tasks(sample::make_diamond(22, 2)), true);
  CHECK(contains(text, "(shown above)"));
  CHECK(count_lines(text) <= 3 * 44 + 1);
}

TEST_CASE("the lines of a tree grow no faster than the number of tasks, and no line without bound") {
  for (std::size_t size : {100u, 1000u, 10'000u}) {
    INFO("size " << size);
    Waits chain(size);
    for (std::size_t i = 0; i + 1 < size; ++i) chain[i].push_back(i + 1);
    const std::string text = render_tree(make_tasks(chain), true);
    CHECK(count_lines(text) <= size + 3);
    CHECK(text.size() < size * 200);
    CHECK(count_lines(render_tree(make_tasks(chain))) < 60);
  }
  const std::string random = render_tree(make_tasks(sample::make_random(2000, 20'000, 7)), true);
  CHECK(count_lines(random) <= 4 * 2000 + 1);
}

TEST_CASE("ten thousand waiters on one future are one line of the tree") {
  Report report = make_tasks(Waits(10'000));
  for (Task& task : report.tasks) {
    OnFuture wait;
    wait.future = Address{0x5000};
    task.wait = wait;
  }
  report.groups = build_groups(report.tasks);
  const std::string text = render_tree(report);
  CHECK(count_lines(text) == 3);
  CHECK(contains(text, "10,000 tasks  t0..t9999"));
}

TEST_CASE("a deadlock of two locks is a cycle through locks and their holders") {
  Report report = make_tasks(Waits{{}, {}});
  for (std::size_t i = 0; i < 2; ++i) {
    OnPrimitive wait{"Lock", "asyncio.locks.Lock", "acquire", Address{0x10 + i}};
    report.tasks[i].wait = wait;
    report.primitives.push_back(make_lock(Address{0x10 + i}, {{sample::task_address(1 - i), "inside `async with`", true}}));
  }
  TextOptions options;
  options.view = TextView::kTree;
  std::string text = render_text(report, options);
  CHECK(contains(text, "CYCLE  t0 -> Lock 0x10 -> t1 -> Lock 0x11 -> t0  each waits for the next\n"));
  CHECK(contains(text, "`- Lock 0x10, held by what stands below it\n"));
  CHECK(contains(text, "= CYCLE: held by t0 (shown above)"));
  report.primitives[0].holders[0].certain = false;
  CHECK(contains(render_text(report, options), "each waits for the next, if the inferred holders are right\n"));
}

TEST_CASE("a task that the report only refers to is named as such") {
  Report report = make_tasks(Waits{{}});
  report.tasks[0].wait = OnTask{Address{0xdead}, "await"};
  CHECK(contains(render_tree(report), "`- task 0xdead (not among the tasks that were found)\n"));
}

TEST_CASE("a filter says what it leaves out, in groups and in the tree") {
  const Report report = make_tasks(Waits{{1}, {2}, {}, {}});
  TextOptions options;
  options.filter.names = {"t1"};
  std::string text = render_text(report, options);
  CHECK(contains(text, "FILTER  --name 't1'\n  1 of 4 tasks pass, 3 are left out\n"));
  CHECK(contains(text, "TASKS  1 in 1 group\n  t1\n"));
  options.view = TextView::kTree;
  text = render_text(report, options);
  CHECK(contains(text, "TASKS  2 in 1 tree"));  // with what it waits for
  CHECK_FALSE(contains(text, "t3"));
  options.filter.names = {"nobody"};
  CHECK(contains(render_text(report, options), "0 of 4 tasks pass, 4 are left out\n"));
}

TEST_CASE("several samples tell how long tasks have been where they are") {
  Report report = make_tasks(Waits{{}, {}, {}});
  report.tasks[2].stack[0].line = 99;
  report.groups = build_groups(report.tasks);
  CHECK_FALSE(contains(render_text(report, {}), "sample"));
  report.capture.samples = 3;
  report.capture.sampled_seconds = 4;
  report.tasks[0].waiting_at_least = 2;
  report.tasks[1].waiting_at_least = 4;
  report.tasks[2].waiting_at_least = 0;
  const std::string text = render_text(report, {});
  CHECK(contains(text, "the last of 3 samples in 4.0 s"));
  CHECK(contains(text, "= seen here in every sample of the last 2.0 s to 4.0 s\n"));
  CHECK(contains(text, "= moving: elsewhere in the sample before\n"));
  CHECK(contains(render_task(report, "t1"), "= seen here in every sample of the last 4.0 s\n"));
  TextOptions options;
  options.filter.waiting_longer_than = 3;
  CHECK(contains(render_text(report, options), "FILTER  --waiting-longer-than 3.0 s\n  1 of 3 tasks pass, 2 are left out\n"));
}

TEST_CASE("one task is shown with its whole stack and both directions") {
  Report report = make_tasks(Waits{{1}, {2}, {3}, {}});
  report.tasks[2].stack.resize(100, report.tasks[2].stack[0]);
  for (std::size_t i = 0; i < 100; ++i) report.tasks[2].stack[i].line = static_cast<std::int32_t>(i + 1);
  report.tasks[2].gaps = {{"context of task", "memory is not mapped", Address{0xdead}}};
  const std::string text = render_task(report, "t2");
  CHECK(contains(text, "TASK  t2\n"));
  CHECK(contains(text, "  id        0x7f0000000080\n"));
  for (int line = 1; line <= 100; ++line) CHECK(contains(text, "/srv/app.py:" + std::to_string(line) + "\n"));
  CHECK(contains(text, "  WAITED FOR BY  1 directly, 2 tasks in all\n    t1  work  /srv/app.py:12  (await)\n"));
  CHECK(contains(text, "    the longest way: t0 -> t1 -> this one\n"));
  CHECK(contains(text, "  WAITS FOR\n"));
  CHECK(contains(text, "`- t3  work  /srv/app.py:12\n"));
  CHECK(contains(text, "context of task: memory is not mapped at 0xdead\n"));
}

TEST_CASE("a task for which nobody waits says so, and one that holds a lock names it") {
  Report report = make_tasks(Waits{{}, {}});
  OnPrimitive wait{"Lock", "asyncio.locks.Lock", "acquire", Address{0x10}};
  report.tasks[1].wait = wait;
  report.primitives = {make_lock(Address{0x10}, {{sample::task_address(0), "in a local variable of work", false}})};
  const std::string text = render_task(report, "t0");
  CHECK(contains(text, "  holds     Lock 0x10, for which 1 task waits (inferred: in a local variable of work)\n"));
  CHECK(contains(text, "  WAITED FOR BY  0 directly, 1 task in all\n"));
  CHECK(contains(render_task(report, "t1"), "  WAITED FOR BY  no task\n"));
}

TEST_CASE("a task on a cycle says so, and a name of many tasks shows a few of them") {
  const Report report = make_tasks(Waits{{1}, {0}});
  CHECK(contains(render_task(report, "t0"), "CYCLE: some of these are among what it waits for itself\n"));
  const std::string many = render_task(make_tasks(Waits(100)), "t*");
  CHECK(contains(many, "... and 80 more tasks of this name: --all shows them\n"));
  CHECK(contains(render_task(report, "x"), "no task has the id or name x\n"));
}

TEST_CASE("escape sequences in names of tasks, functions, files and constructs are shown, not sent, in every view of text") {
  const std::string evil = "\x1b]0;owned\x07\n\xC2\x9B";
  Report report = make_tasks(Waits{{1}, {0}, {3, 4}, {}, {}});
  for (Task& task : report.tasks) task.name = evil + task.name;
  report.functions[0] = {evil, evil, evil, 1};
  std::get<OnMany>(report.tasks[2].wait).construct = evil;
  std::get<OnTask>(report.tasks[0].wait).construct = evil;
  report.tasks[3].gaps = {{evil, evil, {}}};
  report.tasks[4].wait = OnPrimitive{evil, evil, evil, Address{0x10}};
  report.primitives = {make_lock(Address{0x10}, {{report.tasks[0].id, evil, false}})};
  report.primitives[0].kind = evil;
  TextOptions options;
  options.filter.names = {evil};
  for (TextView view : {TextView::kGroups, TextView::kTree, TextView::kTask}) {
    for (const std::string& task : {evil + "t0", evil + "t3", evil + "t4"}) {
      options.view = view;
      options.task = task;
      const std::string text = render_text(report, options);
      CHECK(contains(text, "\\x1b]0;owned\\x07\\n\\u009b"));
      CHECK(std::ranges::count_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }) == 0);
      CHECK_FALSE(contains(text, "\xC2\x9B"));
    }
  }
}

TEST_CASE("an incident says why it was taken, and what the loop did before") {
  Report report = sample::make_blocked_service();
  Incident incident;
  incident.id = 3;
  incident.trigger = IncidentTrigger::kStall;
  incident.detected_ns = 1'795'166'400'123'456'000;
  incident.seconds = 1.25;
  incident.culprit = LightFrame{"burn", "/srv/app.py", 3};
  incident.cause = "stall: burn (/srv/app.py)";
  for (int i = 0; i < 10; ++i) {
    LightLoop loop;
    loop.state = LoopState::kIdle;
    if (i >= 6) {
      loop.state = LoopState::kBlocked;
      loop.stack = {{"handler", "/srv/app.py", 9}, {"burn", "/srv/app.py", 3}, {"sleep", "/usr/lib/python3.11/time.py", i}};
      loop.call = "clock_nanosleep";
    }
    incident.samples.push_back({-1.0 + 0.1 * i, loop});
  }
  report.incident = incident;
  const std::string text = render_text(report, {});
  const std::string shown = section(text, "INCIDENT 3");
  CHECK(contains(shown, "INCIDENT 3  stall at 2026-11-20T09:20:00.123456Z, for at least 1.2 s by then"));
  CHECK(contains(shown, "where: burn  /srv/app.py:3"));
  CHECK(contains(shown, "-1.00 s to -0.50 s      6 samples  idle"));
  CHECK(contains(shown, "-0.40 s to -0.10 s      4 samples  burn  /srv/app.py:3, in clock_nanosleep"));
  report.incident.reset();
  CHECK(!contains(render_text(report, {}), "INCIDENT"));
}

}  // namespace asyncspy
