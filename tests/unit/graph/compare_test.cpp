#include "compare.h"

#include "catch.h"
#include "sample_graph.h"

namespace asyncspy {
namespace {

using Waits = std::vector<std::vector<std::size_t>>;

Report make_report(const Waits& waits) {
  Report report = sample::make_tasks(waits);
  report.process.namespace_pid = 7;
  report.process.uptime_seconds = 100;
  report.capture.monotonic_ns = 500'000'000'000;
  report.capture.realtime_ns = 1'795'166'400'000'000'000;
  report.functions = {{"work", "work", "/srv/app.py", 1}, {"rest", "rest", "/srv/app.py", 20}};
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    report.tasks[i].name = "Task-" + std::to_string(i + 1);
    Frame frame;
    frame.function = 0;
    frame.line = 5;
    frame.kind = FrameKind::kCoroutine;
    frame.object = Address{0x9000 + 16 * i};
    report.tasks[i].stack = {frame};
  }
  return report;
}

// The same process, some seconds later.
Report after(Report report, double seconds) {
  report.process.uptime_seconds += seconds;
  report.capture.monotonic_ns += static_cast<std::int64_t>(seconds * 1e9);
  report.capture.realtime_ns += static_cast<std::int64_t>(seconds * 1e9);
  return report;
}

std::vector<TaskFate> fates(const Comparison& comparison) {
  std::vector<TaskFate> found;
  for (const TaskChange& change : comparison.tasks) found.push_back(change.fate);
  return found;
}

using Fates = std::vector<TaskFate>;

}  // namespace

TEST_CASE("a process in which nothing happened is still") {
  const Report before = make_report({{}, {0}, {0, 1}});
  const Comparison found = compare_reports(before, after(before, 2.5));
  CHECK(found.same_process);
  CHECK(found.seconds == 2.5);
  CHECK(fates(found) == Fates{TaskFate::kStill, TaskFate::kStill, TaskFate::kStill});
  for (const GroupChange& group : found.groups) CHECK(group.growth() == 0);
}

TEST_CASE("a task moves by its line, its function, its depth, its coroutines and what it waits for") {
  const Report before = make_report(Waits(8));
  Report later = after(before, 1);
  later.tasks[0].stack[0].line = 6;
  later.tasks[1].stack.push_back(later.tasks[1].stack[0]);
  later.tasks[2].awaited = Address{0x77};
  std::get<OnTimer>(later.tasks[3].wait).deadline = 99;
  later.tasks[4].wait = Ready{"x"};
  later.tasks[5].must_cancel = true;  // that is no move
  later.tasks[6].state = TaskState::kFinished;
  later.tasks[6].stack.clear();
  later.tasks[6].wait = Done{};
  using enum TaskFate;
  CHECK(fates(compare_reports(before, later)) == Fates{kMoved, kMoved, kMoved, kMoved, kMoved, kStill, kDone, kStill});
}

TEST_CASE("another task at a used address is new, and the old one is gone") {
  const Report before = make_report(Waits(5));
  Report later = after(before, 1);
  later.tasks[0].name = "Task-99";
  later.tasks[1].type = "MyTask";
  later.tasks[2].stack[0].object = Address{0x1};
  later.tasks[3].stack[0].function = 1;
  const Comparison found = compare_reports(before, later);
  using enum TaskFate;
  CHECK(fates(found) == Fates{kNew, kNew, kNew, kNew, kStill, kGone, kGone, kGone, kGone});
  CHECK(found.count(kNew) == 4);
  CHECK(found.tasks[5].before == 0);
}

TEST_CASE("that two tasks are one is certain by asyncio's own names only") {
  Report before = make_report(Waits(4));
  before.tasks[1].name = "fetch";
  before.tasks[2].name = "";
  before.tasks[3].name = "Task-";
  const Comparison found = compare_reports(before, after(before, 1));
  CHECK(found.tasks[0].certain);
  for (std::size_t i = 1; i < 4; ++i) {
    CHECK(found.tasks[i].fate == TaskFate::kStill);
    CHECK_FALSE(found.tasks[i].certain);
  }
}

TEST_CASE("groups grow and shrink by what they look like, whatever their functions are numbered") {
  const Report before = make_report(Waits(10));
  Report later = make_report(Waits(20));
  std::swap(later.functions[0], later.functions[1]);
  for (std::size_t i = 0; i < 20; ++i) later.tasks[i].stack[0].function = i < 16 ? 1 : 0;
  const Comparison found = compare_reports(before, after(later, 1));
  REQUIRE(found.groups.size() == 2);
  CHECK(found.groups[0].growth() == 6);
  CHECK(found.groups[0].before.size() == 10);
  CHECK(found.groups[0].after.size() == 16);
  CHECK(found.groups[1].growth() == 4);
}

TEST_CASE("of two processes only the groups are compared") {
  const Report before = make_report(Waits(3));
  Report later = after(before, 60);
  SECTION("another pid") { later.process.namespace_pid = 8; }
  SECTION("the same pid again") { later.process.uptime_seconds = 3; }
  SECTION("another Python") { later.python.hex_version = 1; }
  SECTION("another program") { later.process.executable = "/usr/bin/other"; }
  const Comparison found = compare_reports(before, later);
  CHECK_FALSE(found.same_process);
  CHECK(found.tasks.empty());
  CHECK(found.loops.empty());
  CHECK(found.groups.size() == 1);
  CHECK(found.seconds == 60);
}

TEST_CASE("without clocks there is no time between") {
  Report before = make_report(Waits(1));
  before.capture.mode = CaptureMode::kCore;
  before.capture.monotonic_ns = before.capture.realtime_ns = 0;
  const Comparison found = compare_reports(before, make_report(Waits(1)));
  CHECK(found.same_process);
  CHECK_FALSE(found.seconds.has_value());
}

TEST_CASE("a loop that runs the same task at the same place is in the same step") {
  Report before = make_report(Waits(2));
  before.loops.resize(2);
  before.loops[0].id = Address{0x10};
  before.loops[0].current_task = before.tasks[0].id;
  before.loops[1].id = Address{0x20};
  Report later = after(before, 1);
  later.loops[1].id = Address{0x30};
  Comparison found = compare_reports(before, later);
  REQUIRE(found.loops.size() == 3);
  CHECK(found.loops[0].same_step);
  CHECK(found.loops[1].before == kNowhere);
  CHECK(found.loops[2].after == kNowhere);
  later.tasks[0].stack[0].line = 9;
  CHECK_FALSE(compare_reports(before, later).loops[0].same_step);
}

TEST_CASE("queues that grew come first, those of one size are left out") {
  Report before = make_report({});
  for (std::uint64_t i = 0; i < 3; ++i) {
    Primitive queue;
    queue.id = Address{0x10 + i};
    queue.type = "asyncio.queues.Queue";
    queue.facts = {{"size", std::int64_t{5}}};
    before.primitives.push_back(queue);
  }
  Report later = after(before, 1);
  later.primitives[0].facts[0].value = std::int64_t{2};
  later.primitives[2].facts[0].value = std::int64_t{50};
  const Comparison found = compare_reports(before, later);
  REQUIRE(found.primitives.size() == 2);
  CHECK(found.primitives[0].size_after == 50);
  CHECK(found.primitives[1].size_after == 2);
}

TEST_CASE("garbage that lists a task twice is compared nevertheless") {
  Report before = make_report(Waits(2));
  before.tasks[1] = before.tasks[0];
  const Comparison found = compare_reports(before, after(before, 1));
  CHECK(found.count(TaskFate::kStill) == 1);
  CHECK(found.count(TaskFate::kNew) == 1);
  CHECK(found.count(TaskFate::kGone) == 1);
}

}  // namespace asyncspy
