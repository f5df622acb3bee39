// capture() of a real process's copy that a script changes between scout and stop.
#include "capture.h"

#include <cstring>

#include "analyse.h"
#include "catch.h"
#include "scripted_target.h"

namespace asyncspy {
namespace {

Result<Report> report_of(Target& target, const CaptureOptions& options = {}) {
  auto snapshot = capture(target, options);
  if (!snapshot) return std::unexpected(snapshot.error());
  return analyse(*snapshot);
}

Report undisturbed() {
  ScriptedTarget target(system_python());
  auto report = report_of(target);
  REQUIRE(report);
  return *report;
}

std::optional<Task> find_task(const Report& report, Address id) {
  for (const Task& task : report.tasks) {
    if (task.id == id) return task;
  }
  return std::nullopt;
}

std::vector<Address> task_ids(const Report& report) {
  std::vector<Address> ids;
  for (const Task& task : report.tasks) ids.push_back(task.id);
  return ids;
}

// A task whose await chain a test redirects, and the place that names its coroutine.
struct Movable {
  Address task;
  Address coroutine;
  Address field;
};

Movable find_movable(const Report& report) {
  for (const Task& task : report.tasks) {
    if (task.stack.empty() || task.stack.front().kind != FrameKind::kCoroutine) continue;
    StoredMemory memory(system_python().memory);
    for (std::uint64_t at = 0; at < 400; at += 8) {
      auto word = memory.read_value<Address>(task.id + at);
      if (word && *word == task.stack.front().object) return {task.id, *word, task.id + at};
    }
  }
  FAIL("no task with a coroutine");
  return {};
}

CaptureOptions of_short_stop() { return {.max_pause = std::chrono::milliseconds(20)}; }  // nothing is read during it

constexpr Address kNewPlace{0x6000'0000'0000};  // where nothing is in the stored process

// The program ran on: the task's coroutine now is another object, on pages that did not exist before.
void move_coroutine(ScriptedTarget& target, StoredMemory& memory, const Movable& movable, Address to) {
  target.map(to, 2);
  std::array<std::byte, 512> bytes{};
  REQUIRE(memory.read(movable.coroutine, bytes));
  memory.write(to, bytes);
  memory.write(movable.field, std::as_bytes(std::span(&to, 1)));
}

}  // namespace

TEST_CASE("a target that stands still is stopped once and let go") {
  ScriptedTarget target(system_python());
  auto snapshot = capture(target, {});
  REQUIRE(snapshot);
  CHECK(target.stops() == 1);
  CHECK(target.releases() == 1);
  CHECK(target.frozen() == 0);
  CHECK(snapshot->capture.stops == 1);
  CHECK(snapshot->capture.mode == CaptureMode::kStopped);
  CHECK(snapshot->capture.pause_seconds == 0.001);
  auto report = analyse(*snapshot);
  REQUIRE(report);
  CHECK(report->tasks.size() == kStoredTasks);
  CHECK(report->gaps.empty());
}

TEST_CASE("a snapshot can be analysed again without its target, and says the same") {
  ScriptedTarget target(system_python());
  auto snapshot = capture(target, {});
  REQUIRE(snapshot);
  target.ended = true;
  auto first = analyse(*snapshot);
  auto second = analyse(*snapshot);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(task_ids(*first) == task_ids(*second));
  CHECK(first->functions.size() == second->functions.size());
  CHECK(snapshot->memory->take_missed().empty());
}

TEST_CASE("without a pause nothing is stopped") {
  ScriptedTarget target(system_python());
  auto snapshot = capture(target, {.no_pause = true});
  REQUIRE(snapshot);
  CHECK(target.stops() == 0);
  CHECK(snapshot->capture.mode == CaptureMode::kRunning);
  CHECK(snapshot->capture.stops == 0);
  auto report = analyse(*snapshot);
  REQUIRE(report);
  CHECK(report->tasks.size() == kStoredTasks);
}

TEST_CASE("what moved to a page that the scout did not see is brought by a second stop") {
  const Movable movable = find_movable(undisturbed());
  ScriptedTarget target(system_python());
  target.before_stop = {[&](StoredMemory& memory) { move_coroutine(target, memory, movable, kNewPlace); }};
  auto report = report_of(target, of_short_stop());
  REQUIRE(report);
  CHECK(target.stops() == 2);
  CHECK(target.releases() == 2);
  CHECK(report->capture.stops == 2);
  CHECK(report->capture.pause_seconds == 0.002);
  auto task = find_task(*report, movable.task);
  REQUIRE(task);
  CHECK(task->gaps.empty());
  REQUIRE_FALSE(task->stack.empty());
  CHECK(task->stack.front().object == kNewPlace);
}

TEST_CASE("few tasks of a process that runs are read during one stop, wherever they have moved") {
  const Movable movable = find_movable(undisturbed());
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  for (const std::uint64_t bytes : {20 * kMiB, 1024 * kMiB}) {  // both are not copied whole; the first is not scouted, either
    ScriptedTarget target(system_python());
    target.expected_bytes = bytes;
    target.before_stop = {[&](StoredMemory& memory) { move_coroutine(target, memory, movable, kNewPlace); }};
    const auto report = report_of(target);
    REQUIRE(report);
    CHECK(target.stops() == 1);
    CHECK(target.releases() == 1);
    CHECK(target.was_read_while_stopped(kNewPlace.value() / kPageSize));
    CHECK(report->tasks.size() == kStoredTasks);
    CHECK(report->gaps.empty());
    const auto task = find_task(*report, movable.task);
    REQUIRE(task);
    CHECK(task->gaps.empty());
    REQUIRE_FALSE(task->stack.empty());
    CHECK(task->stack.front().object == kNewPlace);
  }
}

TEST_CASE("what was taken for few tasks and is not read in a short stop is scouted, and copied in another one") {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  const auto all = task_ids(undisturbed());
  for (const std::uint64_t bytes : {20 * kMiB, 1024 * kMiB}) {
    ScriptedTarget target(system_python());
    target.expected_bytes = bytes;
    target.too_short = std::chrono::milliseconds(50);
    const auto report = report_of(target);
    REQUIRE(report);
    CHECK(target.stops() == 2);
    CHECK(target.releases() == 2);
    CHECK(report->capture.stops == 2);
    CHECK(report->capture.pause_seconds == 0.002);
    CHECK(task_ids(*report) == all);
    CHECK(report->gaps.empty());
    CHECK(report->warnings.empty());
  }
}

TEST_CASE("a process that does not come to a short stop in time is given the whole of --max-pause") {
  ScriptedTarget target(system_python());
  target.expected_bytes = std::uint64_t{20} << 20;
  target.refuse = [](int stop) {
    return stop <= 3 ? std::optional(Error{ErrorKind::kTimeout, "thread 7: did not stop in time", "", {}}) : std::nullopt;
  };
  const auto report = report_of(target);
  REQUIRE(report);
  CHECK(target.stops() == 4);
  CHECK(report->capture.stops == 1);
  CHECK(report->tasks.size() == kStoredTasks);
  CHECK(report->gaps.empty());
}

TEST_CASE("of a process whose threads did not run only what the scout read is copied") {
  constexpr std::uint64_t kMuch = std::uint64_t{1} << 30;  // so that it is scouted
  ScriptedTarget moving(system_python());
  moving.expected_bytes = kMuch;
  const auto of_moving = report_of(moving, of_short_stop());
  REQUIRE(of_moving);
  ScriptedTarget still(system_python());
  still.expected_bytes = kMuch;
  still.still = true;
  const auto of_still = report_of(still);
  REQUIRE(of_still);
  CHECK(still.stops() == 1);
  CHECK(moving.stops() == 1);
  CHECK(task_ids(*of_still) == task_ids(*of_moving));
  CHECK(of_still->gaps.empty());
  CHECK(2 * of_still->capture.bytes_copied < of_moving->capture.bytes_copied);
  ScriptedTarget recorded(system_python());
  recorded.expected_bytes = kMuch;
  recorded.still = true;
  const auto recording = capture(recorded, {.sparse = true});
  REQUIRE(recording);
  CHECK(recording->memory->bytes() >= of_moving->capture.bytes_copied);
}

TEST_CASE("a process that begins to run right before its stop is stopped again") {
  const Movable movable = find_movable(undisturbed());
  ScriptedTarget target(system_python());
  target.expected_bytes = std::uint64_t{1} << 30;
  target.still = true;
  target.before_stop = {[&](StoredMemory& memory) { move_coroutine(target, memory, movable, kNewPlace); }};
  const auto report = report_of(target);
  REQUIRE(report);
  CHECK(target.stops() == 2);
  CHECK(target.was_read_while_stopped(kNewPlace.value() / kPageSize));
  const auto task = find_task(*report, movable.task);
  REQUIRE(task);
  CHECK(task->gaps.empty());
  REQUIRE_FALSE(task->stack.empty());
  CHECK(task->stack.front().object == kNewPlace);
}

TEST_CASE("what moves before every stop is analysed during the third one") {
  const Movable movable = find_movable(undisturbed());
  constexpr std::uint64_t kApart = 0x100'0000;
  ScriptedTarget target(system_python());
  for (std::uint64_t i = 0; i < 3; ++i) {
    target.before_stop.push_back([&target, &movable, i](StoredMemory& memory) { move_coroutine(target, memory, movable, kNewPlace + i * kApart); });
  }
  auto snapshot = capture(target, of_short_stop());
  REQUIRE(snapshot);
  CHECK(target.stops() == 3);
  CHECK(target.releases() == 3);
  CHECK(snapshot->capture.stops == 3);
  CHECK(target.was_read_while_stopped((kNewPlace + 2 * kApart).value() / kPageSize));
  auto report = analyse(*snapshot);
  REQUIRE(report);
  auto task = find_task(*report, movable.task);
  REQUIRE(task);
  CHECK(task->gaps.empty());
  REQUIRE_FALSE(task->stack.empty());
  CHECK(task->stack.front().object == kNewPlace + 2 * kApart);
  CHECK(report->capture.stops == 3);
}

TEST_CASE("a report never mixes two moments: the copy that counts is made in one stop") {
  const Movable movable = find_movable(undisturbed());
  ScriptedTarget target(system_python());
  Address old = movable.coroutine;
  target.before_stop = {[&](StoredMemory& memory) { move_coroutine(target, memory, movable, kNewPlace); },
                        // Before the second stop all is as at first: what the first stop copied must not show.
                        [&](StoredMemory& memory) { memory.write(movable.field, std::as_bytes(std::span(&old, 1))); }};
  auto report = report_of(target, of_short_stop());
  REQUIRE(report);
  auto task = find_task(*report, movable.task);
  REQUIRE(task);
  REQUIRE_FALSE(task->stack.empty());
  CHECK(task->stack.front().object == old);
}

TEST_CASE("a pointer into nothing becomes a gap, not an endless series of stops") {
  const Movable movable = find_movable(undisturbed());
  ScriptedTarget target(system_python());
  const Address nowhere{0x5550'0000'0010};
  target.before_stop = {[&](StoredMemory& memory) { memory.write(movable.field, std::as_bytes(std::span(&nowhere, 1))); }};
  auto report = report_of(target);
  REQUIRE(report);
  CHECK(target.stops() == 1);  // no further stop can bring what is not mapped
  CHECK(target.releases() == 1);
  auto task = find_task(*report, movable.task);
  REQUIRE(task);
  REQUIRE(task->gaps.size() == 1);
  CHECK(task->gaps[0].at == nowhere);
}

TEST_CASE("a stop that fails is the result, and nothing stays stopped") {
  for (int failing : {1, 2, 3}) {
    INFO("stop " << failing);
    const Movable movable = find_movable(undisturbed());
    ScriptedTarget target(system_python());
    for (std::uint64_t i = 0; i < 3; ++i) {
      target.before_stop.push_back([&target, &movable, i](StoredMemory& memory) { move_coroutine(target, memory, movable, kNewPlace + i * 0x100'0000); });
    }
    target.refuse = [failing](int stop) {
      return stop >= failing ? std::optional(Error{ErrorKind::kTimeout, "thread 7: did not stop in time", "", {}}) : std::nullopt;
    };
    auto snapshot = capture(target, of_short_stop());
    REQUIRE_FALSE(snapshot);
    CHECK(snapshot.error().kind == ErrorKind::kTimeout);
    CHECK(snapshot.error().what == "thread 7: did not stop in time");
    CHECK(target.releases() == failing - 1);
    CHECK(target.frozen() == 0);
  }
}

TEST_CASE("a stop that was not reached in time is tried again") {
  ScriptedTarget target(system_python());
  target.refuse = [](int stop) {
    return stop == 1 ? std::optional(Error{ErrorKind::kTimeout, "thread 7: did not stop in time", "", {}}) : std::nullopt;
  };
  auto snapshot = capture(target, {});
  REQUIRE(snapshot);
  CHECK(snapshot->capture.stops == 1);
  CHECK(target.frozen() == 0);
}

TEST_CASE("a target that ends in the middle is reported as ended") {
  {
    ScriptedTarget target(system_python());
    target.ended = true;
    CHECK(capture(target, {}).error().kind == ErrorKind::kNoProcess);
  }
  {
    ScriptedTarget target(system_python());
    target.before_stop = {[&](StoredMemory&) { target.ended = true; }};
    CHECK(capture(target, {}).error().kind == ErrorKind::kNoProcess);
    CHECK(target.frozen() == 0);
  }
}

TEST_CASE("a target that ends while it is stopped is let go and reported as ended") {
  // The memory fails from the stop on: a process that was killed.
  ScriptedTarget target(system_python());
  target.refuse = [&](int) {
    target.ended = true;
    return std::nullopt;
  };
  auto snapshot = capture(target, {});
  REQUIRE_FALSE(snapshot);
  CHECK(snapshot.error().kind == ErrorKind::kNoProcess);
  CHECK(target.releases() == 1);
  CHECK(target.frozen() == 0);
}

TEST_CASE("a full snapshot holds every page that the target has written") {
  ScriptedTarget target(system_python());
  auto snapshot = capture(target, {.full = true});
  REQUIRE(snapshot);
  auto process = target.read_process();
  REQUIRE(process);
  auto written = target.find_written_pages(process->mappings);
  REQUIRE(written);
  for (const PageRange& range : *written) {
    for (std::uint64_t page = 0; page < range.pages; ++page) {
      const std::uint64_t number = range.start.value() / kPageSize + page;
      if (target.memory().read_value<char>(Address{number * kPageSize})) CHECK(snapshot->memory->has_page(number));
    }
  }
}

TEST_CASE("a process without an interpreter is refused before it is stopped") {
  StoredProcess other;
  other.process = system_python().process;
  other.process.images.clear();
  other.threads = system_python().threads;
  ScriptedTarget target(other);
  auto snapshot = capture(target, {});
  REQUIRE_FALSE(snapshot);
  CHECK(snapshot.error().kind == ErrorKind::kNotPython);
  CHECK(target.stops() == 0);
}

}  // namespace asyncspy
