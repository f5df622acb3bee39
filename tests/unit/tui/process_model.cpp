#include "process_model.h"

#include "catch.h"
#include "is_near.h"
#include "sample_report.h"

namespace asyncspy {
namespace {

// A loop that runs, and so many tasks that sleep; each look is `seconds` after the first one.
Report make_look(double seconds, std::size_t sleepers, int line = 10) {
  sample::ReportBuilder b;
  b.report.capture.monotonic_ns += static_cast<std::int64_t>(seconds * 1e9);
  b.loop(LoopState::kIdle).thread = 0;
  b.thread(4242, "python3").loop = 0;
  Frame frame = b.frame(FrameKind::kCoroutine, "work", "/srv/work.py", line);
  for (std::size_t i = 0; i < sleepers; ++i) {
    frame.object = Address{0x9000 + 64 * i};
    b.task("Task-" + std::to_string(i + 1), OnTimer{2000, 10}).stack = {frame};
  }
  b.group(0, static_cast<std::uint32_t>(sleepers));
  return std::move(b.report);
}

TEST_CASE("what is new and what has gone is counted per second between two looks") {
  ProcessModel process(4242);
  process.add_report(make_look(0, 10));
  CHECK_FALSE(process.rates());
  process.add_report(make_look(2, 14));
  REQUIRE(process.rates());
  CHECK(is_near(process.rates()->created, 2));
  CHECK(is_near(process.rates()->finished, 0));
  process.add_report(make_look(4, 4));
  CHECK(is_near(process.rates()->created, 0));
  CHECK(is_near(process.rates()->finished, 5));
}

TEST_CASE("a group that grows has a trend, and one that stays has none") {
  ProcessModel process(4242);
  for (int look = 0; look < 5; ++look) process.add_report(make_look(look, 10 + static_cast<std::size_t>(look) * 3));
  const auto rows = process.rows(RowUnit::kGroups, -1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].count == 22);
  CHECK(rows[0].trend == 12);
  CHECK(rows[0].waiting == 4.0);  // the oldest of them
  CHECK(rows[0].steps == 0.0);
}

TEST_CASE("tasks that are elsewhere have made a step, and are another group") {
  ProcessModel process(4242);
  process.add_report(make_look(0, 10, 10));
  const RowKey before = process.rows(RowUnit::kGroups, -1)[0].key;
  process.add_report(make_look(2, 10, 11));
  const auto rows = process.rows(RowUnit::kGroups, -1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].key != before);
  REQUIRE(rows[0].steps);
  CHECK(is_near(*rows[0].steps, 5));
  CHECK(rows[0].trend == 10);
}

TEST_CASE("keys stay the same from look to look") {
  ProcessModel process(4242);
  process.add_report(make_look(0, 3));
  const auto groups = process.rows(RowUnit::kGroups, -1);
  const auto tasks = process.rows(RowUnit::kTasks, -1);
  process.add_report(make_look(1, 3));
  CHECK(process.rows(RowUnit::kGroups, -1)[0].key == groups[0].key);
  REQUIRE(process.rows(RowUnit::kTasks, -1).size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(process.rows(RowUnit::kTasks, -1)[i].key == tasks[i].key);
}

TEST_CASE("the share of the loop's time is that of the samples in which the function of the group ran") {
  ProcessModel process(4242);
  process.add_report(make_look(0, 3));
  LightSample sample;
  for (int i = 1; i <= 9; ++i) {
    LightLoop loop;
    loop.id = process.report()->loops[0].id;
    loop.state = i % 3 == 0 ? LoopState::kRunning : LoopState::kIdle;
    if (i % 3 == 0) {
      loop.task = process.report()->tasks[1].id;
      loop.stack = {{"handle", "/srv/server.py", 5}, {"work", "/srv/work.py", 10}, {"work", "/srv/work.py", 12}, {"parse", "/srv/work.py", 70}};
    }
    sample.time = 1000 + 0.01 * i;
    sample.loops = {loop};
    process.add_sample(sample);
  }
  const auto groups = process.rows(RowUnit::kGroups, -1);
  REQUIRE(groups[0].share);
  CHECK(is_near(*groups[0].share, 0.3));  // of ten: the look is a sample, too
  const auto tasks = process.rows(RowUnit::kTasks, -1);
  CHECK(tasks[0].share == 0.0);
  CHECK(is_near(tasks[1].share.value_or(0), 0.3));
}

TEST_CASE("a report is a sample of its loops") {
  const LightSample sample = build_light_sample(sample::make_blocked_service());
  REQUIRE(sample.loops.size() == 1);
  CHECK(sample.loops[0].state == LoopState::kBlocked);
  CHECK(sample.loops[0].late == 27.3);
  CHECK(sample.loops[0].ready == 52);
  CHECK(is_near(sample.loops[0].next_timer.value_or(0), -27.3));
  CHECK(sample.loops[0].call == "recvfrom");
}

TEST_CASE("what may be over in a moment is no alarm at the first look, and is one at the second") {
  const auto look = [](double seconds) {
    Report report = make_look(seconds, 1);
    Finding finding;
    finding.rule = "P12";
    finding.severity = Severity::kWarning;
    finding.confidence = Confidence::kObserved;
    finding.tasks = {report.tasks[0].id};
    finding.momentary = true;
    report.findings = {finding};
    return report;
  };
  ProcessModel process(4242);
  process.add_report(look(0));
  REQUIRE(process.report()->findings.size() == 1);
  CHECK_FALSE(is_alarm(process.report()->findings[0]));
  process.add_report(look(1));
  CHECK(process.report()->findings[0].severity == Severity::kWarning);
}

TEST_CASE("another program in its place starts anew and says why") {
  ProcessModel process(4242);
  process.add_report(make_look(0, 3));
  const std::uint64_t serial = process.serial();
  process.replace(4243, "replaced");
  CHECK(process.pid() == 4243);
  CHECK_FALSE(process.report());
  CHECK(process.status_text() == "replaced");
  CHECK(process.serial() != serial);
  CHECK(process.rows(RowUnit::kGroups, -1).empty());
}

TEST_CASE("a report whose indices make no sense is survived") {
  Report report = make_look(0, 2);
  report.groups[0].tasks = {0, 77, 0xFFFFFFFF};
  report.loops[0].thread = 99;
  report.tasks[0].loop = 55;
  report.tasks[0].stack[0].function = 9999;
  ProcessModel process(4242);
  process.add_report(std::move(report));
  CHECK(process.rows(RowUnit::kGroups, -1).size() == 1);
  CHECK(process.rows(RowUnit::kTasks, 12).empty());
}

}  // namespace
}  // namespace asyncspy
