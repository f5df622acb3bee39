#include "diff_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "groups.h"
#include "sample_report.h"

namespace asyncspy {
namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string render(const Report& before, const Report& after, bool all = false) {
  StringSink sink;
  write_diff_text(before, after, compare_reports(before, after), {.all = all}, sink);
  return sink.take();
}

nlohmann::json render_json(const Report& before, const Report& after) {
  StringSink sink;
  write_diff_json(before, after, compare_reports(before, after), "0.1.0", sink);
  return nlohmann::json::parse(sink.take());
}

Report later(Report report, double seconds) {
  report.process.uptime_seconds += seconds;
  report.capture.monotonic_ns += static_cast<std::int64_t>(seconds * 1e9);
  report.capture.realtime_ns += static_cast<std::int64_t>(seconds * 1e9);
  report.groups = build_groups(report.tasks);
  return report;
}

}  // namespace

TEST_CASE("a hang that goes on is told by the step and by what has not moved") {
  const Report before = sample::make_blocked_service();
  Report after = later(before, 10);
  after.loops[0].late->seconds = 37.3;
  after.loops[0].ready = 80;
  after.tasks[1].name = "Task-999";  // at the address of Task-3
  const std::string text = render(before, after);
  CHECK(text.starts_with("process 4242 python3 -m shop.server --port 8080\n"
                         "  from 2026-11-20 09:20:00 to 2026-11-20 09:20:10 UTC: 10.0 s\n"
                         "  202 tasks before, 202 now: 201 still at the same place, 1 new, 1 gone\n"));
  CHECK(contains(text, "  2 tasks are known again by address, coroutine and a name that is not asyncio's count: very likely, not certain\n"));
  CHECK(contains(text, "LOOP  BLOCKED  asyncio.unix_events._UnixSelectorEventLoop\n"
                       "  late      at least 37.3 s (before: at least 27.3 s)\n"
                       "  behind it 80 ready callbacks (before: 52 ready callbacks); 2 timers\n"
                       "  runs      request-17, at the same place in both\n"));
  CHECK(contains(text, "STILL  201 tasks in 3 groups, at the same place in both: they may have moved and come back in between\n"
                       "  199 tasks  refresh_price  /srv/shop/prices.py:12"));
  CHECK(contains(text, "NEW  1 task in 1 group\n  Task-999  refresh_price"));
  CHECK(contains(text, "GONE  1 task in 1 group, with their last place\n  Task-3  refresh_price"));
}

TEST_CASE("the JSON of a comparison has every task with both of its places") {
  const Report before = sample::make_blocked_service();
  Report after = later(before, 10);
  after.tasks.pop_back();
  after.tasks[5].stack.back().line = 700;
  const nlohmann::json root = render_json(before, after);
  CHECK(root["schema_version"] == 1);
  CHECK(root["seconds"] == 10.0);
  CHECK(root["counts"] == nlohmann::json({{"still", 200}, {"moved", 1}, {"done", 0}, {"new", 0}, {"gone", 1}}));
  CHECK(root["tasks"].size() == 202);
  CHECK(root["tasks"][5]["fate"] == "moved");
  CHECK(root["tasks"][5]["before"]["file"] == "/srv/shop/prices.py");
  CHECK(root["tasks"][201]["after"].is_null());
  CHECK(root["loops"][0]["same_step"] == true);
}

TEST_CASE("long sections are cut and say so, and are whole with all") {
  sample::ReportBuilder builder;
  builder.loop(LoopState::kIdle);
  for (int i = 0; i < 100; ++i) {
    builder.task("Task-" + std::to_string(i), OnDescriptor{i, ""}).stack = {
        builder.frame(FrameKind::kCoroutine, "f" + std::to_string(i), "/srv/x.py", i + 1)};
  }
  const Report before = later(builder.report, 0);
  Report after = later(before, 5);
  for (Frame* frame : {&after.tasks[0].stack[0], &after.tasks[1].stack[0]}) frame->line += 1000;
  const std::string text = render(before, after);
  CHECK(contains(text, "  ... and 86 more groups: --all shows them\n"));
  CHECK(contains(text, "MOVED  2 tasks in 2 ways\n"));
  CHECK_FALSE(contains(render(before, after, true), "--all"));
}

TEST_CASE("escape sequences in either report come out escaped") {
  const std::string evil = "\x1b]0;evil\x07\n\xC2\x9B";
  Report before = sample::make_blocked_service();
  for (Task& task : before.tasks) task.name = evil + task.name;
  for (Function& function : before.functions) function.qualified_name = function.file = evil;
  before.loops[0].type = evil;
  before.process.command_line = {evil};
  Primitive queue;
  queue.id = Address{0x10};
  queue.kind = queue.type = evil;
  queue.facts = {{"size", std::int64_t{1}}};
  before.primitives = {queue};
  Report after = later(before, 1);
  after.primitives[0].facts[0].value = std::int64_t{2};
  after.tasks[3].stack[0].line = 99;
  after.tasks.erase(after.tasks.begin() + 7);
  after.tasks[9].name = evil;
  for (const bool all : {false, true}) {
    const std::string text = render(before, after, all);
    CHECK(contains(text, "\\x1b]0;evil\\x07\\n\\u009b"));
    CHECK(std::ranges::count_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }) == 0);
    CHECK_FALSE(contains(text, "\xC2\x9B"));
  }
  StringSink sink;
  write_diff_json(before, after, compare_reports(before, after), "0.1.0", sink);
  CHECK_FALSE(contains(sink.take(), "\x1b"));
}

}  // namespace asyncspy
