// Local variables and facts of tasks, as text and as JSON.
#include <nlohmann/json.hpp>
#include <string>

#include "catch.h"
#include "json_report.h"
#include "sample_report.h"
#include "text_report.h"

namespace asyncspy {
namespace {

using nlohmann::json;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::uint32_t add_name(Report& report, std::string name) {
  report.names.push_back(std::move(name));
  return static_cast<std::uint32_t>(report.names.size() - 1);
}

// Three tasks at the same place, of which the first and the last have facts.
Report make_report() {
  sample::ReportBuilder builder;
  builder.loop(LoopState::kIdle);
  Frame handler = builder.frame(FrameKind::kCoroutine, "Shop.handle", "/srv/shop/app.py", 31);
  for (const char* name : {"first", "second", "third"}) builder.task(name, OnTimer{1010, 10}).stack = {handler};
  builder.group(0, 3);
  Report& report = builder.report;
  const SourcePlace own{add_name(report, "main"), add_name(report, "/srv/shop/app.py"), 88};
  const SourcePlace library{add_name(report, "create_task"), add_name(report, "/usr/lib/python3.11/asyncio/tasks.py"), 360};
  TaskFacts facts;
  facts.created_at = {own, library};
  facts.coroutine_origin = {own};
  facts.context = {{"request_id", "'r-1'"}};
  facts.handling = {{0, "ValueError: boom\x1b[31m", false}};
  report.facts = {facts, facts};
  report.facts[1].context[0].value = "'r-2'";
  report.facts[1].handling[0] = {0, "asyncio.exceptions.CancelledError", true};
  report.tasks[0].facts = 0;
  report.tasks[2].facts = 1;
  return std::move(builder.report);
}

}  // namespace

TEST_CASE("facts of a group are told with the number of tasks that they are of") {
  const std::string text = render_text(make_report(), {});
  INFO(text);
  CHECK(contains(text, "  3 tasks  first, second, third  request_id = 'r-1', 'r-2'\n"));
  CHECK(contains(text, "    = suspended while handling ValueError: boom\\x1b[31m in Shop.handle  /srv/shop/app.py:31 (1 task); "
                       "suspended while handling asyncio.exceptions.CancelledError in Shop.handle  /srv/shop/app.py:31 (1 task)\n"));
  CHECK(contains(text, "    = created in main  /srv/shop/app.py:88 (2 tasks)\n"));
}

TEST_CASE("one task shows where it was made, the call first") {
  TextOptions options;
  options.view = TextView::kTask;
  options.task = "first";
  const std::string text = render_text(make_report(), options);
  INFO(text);
  CHECK(contains(text, "  context   request_id = 'r-1'\n"));
  CHECK(contains(text, "  created   create_task  /usr/lib/python3.11/asyncio/tasks.py:360\n            main  /srv/shop/app.py:88\n"));
  CHECK(contains(text, "  origin    main  /srv/shop/app.py:88\n"));
}

TEST_CASE("what finished tasks ended with is counted, the most frequent first") {
  Report report = make_report();
  for (Task& task : report.tasks) {
    task.state = TaskState::kFinished;
    task.wait = Done{};
    task.stack.clear();
    task.facts = static_cast<std::uint32_t>(report.facts.size());
    report.facts.push_back({.created_at = {}, .coroutine_origin = {}, .context = {}, .handling = {}, .outcome = Outcome{false, "None", false}});
  }
  report.facts.back().outcome = Outcome{true, "ValueError: boom", true, false, report.facts[0].created_at};
  CHECK(contains(render_text(report, {}), "    = returned None (2 tasks); raised ValueError: boom in main  /srv/shop/app.py:88 "
                                          "(exception was never retrieved) (1 task)\n"));
  TextOptions options;
  options.view = TextView::kTask;
  options.task = "third";
  CHECK(contains(render_text(report, options), "  raised    create_task  /usr/lib/python3.11/asyncio/tasks.py:360\n            main  /srv/shop/app.py:88\n"));
}

TEST_CASE("facts in JSON stand beside the task, and are null where there are none") {
  const json root = json::parse(render_json(make_report(), {.tool_version = "0.1.0"}));
  CHECK(root["tasks"][1]["facts"].is_null());
  const json facts = root["tasks"][0]["facts"];
  CHECK(facts["created_at"][0] == json({{"function", "main"}, {"file", "/srv/shop/app.py"}, {"line", 88}}));
  CHECK(facts["created_at"].size() == 2);
  CHECK(facts["coroutine_origin"].size() == 1);
  CHECK(facts["context"] == json::array({{{"name", "request_id"}, {"value", "'r-1'"}}}));
  CHECK(facts["handling"][0] == json({{"frame", 0}, {"exception", "ValueError: boom\x1b[31m"}, {"is_cancellation", false}}));
  CHECK(facts["outcome"].is_null());
}

TEST_CASE("indices of facts that point nowhere break nothing") {
  Report report = make_report();
  report.tasks[0].facts = 99;
  report.facts[1].created_at = {{500, 500, 0}};
  report.facts[1].handling[0].frame = 500;
  CHECK(contains(render_text(report, {.all = true}), "suspended while handling asyncio.exceptions.CancelledError"));
  const json root = json::parse(render_json(report, {.tool_version = "0.1.0"}));
  CHECK(root["tasks"][0]["facts"].is_null());
  CHECK(root["tasks"][2]["facts"]["created_at"][0]["line"].is_null());
}

TEST_CASE("local variables stand under their frame, escaped, and a group says whose they are") {
  Report report = make_report();
  report.locals = {{.variables = {{"self", "<app.Shop at 0x10>", VariableKind::kArgument}, {"evil", "'\x1b]0;x'", VariableKind::kLocal}}, .left_out = 3, .gap = ""}};
  report.tasks[0].stack[0].locals = 0;
  const std::string text = render_text(report, {});
  INFO(text);
  CHECK(contains(text, "      Shop.handle  /srv/shop/app.py:31\n          self = <app.Shop at 0x10>\n          evil = '\\x1b]0;x'\n"
                       "          ... 3 more variables\n    = locals are those of first\n"));
  const json root = json::parse(render_json(report, {.tool_version = "0.1.0"}));
  const json frame = root["tasks"][0]["stack"][0];
  CHECK(frame["locals"]["variables"][0] == json({{"name", "self"}, {"value", "<app.Shop at 0x10>"}, {"kind", "argument"}}));
  CHECK(frame["locals"]["left_out"] == 3);
  CHECK(frame["locals"]["gap"].is_null());
  CHECK_FALSE(root["tasks"][1]["stack"][0].contains("locals"));
  report.locals[0] = {.variables = {}, .left_out = 0, .gap = "memory is not readable"};
  CHECK(contains(render_text(report, {}), "          locals could not be read: memory is not readable\n"));
}

}  // namespace asyncspy
