#include "json_report.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "catch.h"
#include "sample_report.h"

namespace asyncspy {
namespace {

using nlohmann::json;

json parse(const Report& report) { return json::parse(render_json(report, {.tool_version = "0.1.0"})); }

// Takes `limit` pieces and then no more, as a pipe without a reader.
class ClosingSink final : public Sink {
 public:
  explicit ClosingSink(int limit) : limit_(limit) {}
  bool write(std::string_view) override { return ++writes_ <= limit_; }
  [[nodiscard]] int writes() const { return writes_; }

 private:
  int limit_;
  int writes_ = 0;
};

}  // namespace

TEST_CASE("the JSON of a blocked service holds what the report holds") {
  const json root = parse(sample::make_blocked_service());
  CHECK(root["schema_version"] == 1);
  CHECK(root["tool"] == json({{"name", "asyncspy"}, {"version", "0.1.0"}}));
  CHECK(root["captured_at"] == "2026-11-20T09:20:00.123456Z");
  CHECK(root["process"]["pid"] == 4242);
  CHECK(root["process"]["command_line"] == json({"python3", "-m", "shop.server", "--port", "8080"}));
  CHECK(root["process"]["state"] == "S");
  CHECK(root["python"]["version"] == "3.11.2");
  CHECK(root["capture"]["mode"] == "stopped");
  CHECK(root["capture"]["monotonic_seconds"] == 1000.0);
  CHECK(root["asyncio"]["imported"] == true);
  CHECK(root["threads"].size() == 5);
  CHECK(root["threads"][0]["system_call"]["descriptor"]["peer"] == "127.0.0.1:5432");
  CHECK(root["threads"][0]["loop"] == 0);
  CHECK(root["threads"][1]["loop"].is_null());
  CHECK(root["threads"][4]["system_call"].is_null());
  CHECK(root["tasks"].size() == 202);
  CHECK(root["groups"].size() == 3);
  CHECK(root["groups"][1]["count"] == 200);
  CHECK(root["groups"][1]["tasks"][0] == root["tasks"][1]["id"]);
  CHECK(root["findings"][0]["severity"] == "error");
  CHECK(root["findings"][0]["tasks"][0] == root["tasks"][0]["id"]);
  CHECK(root["warnings"].size() == 1);
}

TEST_CASE("a loop in JSON has its lateness, queue and timers with the time that is left") {
  const json loop = parse(sample::make_blocked_service())["loops"][0];
  CHECK(loop["state"] == "blocked");
  CHECK(loop["thread"] == 0);
  CHECK(loop["late"]["seconds"] == 27.3);
  CHECK(loop["ready"] == 52);
  CHECK(std::abs(loop["timers"][0]["remaining_seconds"].get<double>() + 27.3) < 1e-9);
  CHECK(loop["timers"][2]["cancelled"] == true);
  CHECK(loop["descriptors"] == json({5, 6, 9}));
  CHECK(loop["current_task"] == "0x7f3300000000");
  CHECK(loop["current_callback"].is_null());
  CHECK(loop["debug"] == false);
}

TEST_CASE("a frame in JSON prefers the object's own name and gives no line where none is known") {
  sample::ReportBuilder builder;
  Frame named = builder.frame(FrameKind::kCoroutine, "outer.<locals>.inner", "/srv/a.py", 10);
  builder.report.names = {"renamed", "CythonCoroutine"};
  named.name = 0;
  Frame opaque;
  opaque.kind = FrameKind::kOpaque;
  opaque.type_name = 1;
  builder.task("t", Done{}).stack = {named, opaque};
  const json stack = parse(builder.report)["tasks"][0]["stack"];
  CHECK(stack[0]["function"] == "renamed");
  CHECK(stack[0]["name"] == "inner");
  CHECK(stack[0]["file"] == "/srv/a.py");
  CHECK(stack[0]["line"] == 10);
  CHECK(stack[0]["first_line"] == 9);
  CHECK(stack[0]["type"].is_null());
  CHECK(stack[1]["kind"] == "opaque");
  CHECK(stack[1]["type"] == "CythonCoroutine");
  CHECK(stack[1]["line"].is_null());
  CHECK(stack[1]["function"] == "");
}

TEST_CASE("every kind of wait has its own word and fields in JSON") {
  sample::ReportBuilder builder;
  builder.task("", Unknown{"no future"});
  builder.task("", Done{});
  builder.task("", Running{});
  builder.task("", Ready{"not started"});
  builder.task("", OnTask{Address{0x10}});
  builder.task("", OnFuture{Address{0x20}, "asyncio.Future", "pending"});
  builder.task("", OnTimer{1003.5, 3.5});
  builder.task("", OnPrimitive{"Queue", "asyncio.queues.Queue", "get", Address{0x30}});
  builder.task("", OnDescriptor{9});
  builder.task("", OnMany{"gather", {Address{0x40}, Address{0x50}}, 1, 2});
  const json tasks = parse(builder.report)["tasks"];
  CHECK(tasks[0]["wait"] == json({{"kind", "unknown"}, {"why", "no future"}}));
  CHECK(tasks[1]["wait"] == json({{"kind", "done"}}));
  CHECK(tasks[2]["wait"] == json({{"kind", "running"}}));
  CHECK(tasks[3]["wait"] == json({{"kind", "ready"}, {"reason", "not started"}}));
  CHECK(tasks[4]["wait"] == json({{"kind", "task"}, {"task", "0x10"}, {"construct", "await"}}));
  CHECK(tasks[5]["wait"] ==
        json({{"kind", "future"}, {"future", "0x20"}, {"type", "asyncio.Future"}, {"state", "pending"},
                                       {"inferred", nullptr}, {"descriptor", nullptr}}));
  CHECK(tasks[6]["wait"] == json({{"kind", "timer"}, {"deadline", 1003.5}, {"not_finite", nullptr}, {"remaining_seconds", 3.5}}));
  CHECK(tasks[7]["wait"] == json({{"kind", "primitive"},
                                  {"primitive", "Queue"},
                                  {"type", "asyncio.queues.Queue"},
                                  {"operation", "get"},
                                  {"object", "0x30"}}));
  CHECK(tasks[8]["wait"] == json({{"kind", "descriptor"}, {"descriptor", 9}, {"operation", ""}}));
  CHECK(tasks[9]["wait"]["tasks"] == json({"0x40", "0x50"}));
  CHECK(tasks[9]["wait"]["pending"] == 1);
}

TEST_CASE("what is not known is null in JSON, never a number") {
  sample::ReportBuilder builder;
  Loop& loop = builder.loop(LoopState::kUnknown);
  loop.ready.reset();
  loop.timers = {{Address{0x10}, std::numeric_limits<double>::infinity(), false, kNoFunction}};
  loop.thread = 7;  // there is no such thread
  Task& task = builder.task("t", OnTimer{std::numeric_limits<double>::quiet_NaN(), 1});
  task.must_cancel.reset();
  task.cancel_requests.reset();
  task.loop = -1;
  const json root = parse(builder.report);
  CHECK(root["loops"][0]["ready"].is_null());
  CHECK(root["loops"][0]["thread"].is_null());
  CHECK(root["loops"][0]["timers"][0]["deadline"].is_null());
  CHECK(root["loops"][0]["timers"][0]["not_finite"] == "inf");
  CHECK(root["loops"][0]["late"].is_null());
  CHECK(root["loops"][0]["current_task"].is_null());
  CHECK(root["tasks"][0]["must_cancel"].is_null());
  CHECK(root["tasks"][0]["cancel_requests"].is_null());
  CHECK(root["tasks"][0]["loop"].is_null());
  CHECK(root["tasks"][0]["awaited"].is_null());
  CHECK(root["tasks"][0]["wait"]["deadline"].is_null());
  CHECK(root["tasks"][0]["wait"]["not_finite"] == "nan");
}

TEST_CASE("JSON keeps strings as they are, shows bytes that are no UTF-8 and holds nothing that acts on a terminal") {
  sample::ReportBuilder builder;
  const std::string evil = "\x1b]0;evil\x07\"\\\n\xC2\x9B\xE2\x80\xAE\xF3\xA0\x80\x81\xF0\x9F\x90\x8D";
  builder.task(evil, Done{});
  builder.task("\xFF", Done{});
  const std::string text = render_json(builder.report, {.tool_version = "0.1.0"});
  const json root = json::parse(text);
  CHECK(root["tasks"][0]["name"] == evil);
  CHECK(root["tasks"][1]["name"] == "\\xff");
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find("\xE2\x80\xAE") == std::string::npos);
}

TEST_CASE("indices that point nowhere do not break the JSON") {
  sample::ReportBuilder builder;
  Frame frame;
  frame.function = 99;
  frame.name = 99;
  frame.type_name = 99;
  builder.task("t", Done{}).stack = {frame};
  builder.group(0, 3);  // of which two do not exist
  const json root = parse(builder.report);
  CHECK(root["tasks"][0]["stack"][0]["function"] == "");
  CHECK(root["groups"][0]["tasks"].size() == 1);
}

TEST_CASE("JSON goes out in pieces and stops when nobody takes it") {
  sample::ReportBuilder builder;
  for (int i = 0; i < 20'000; ++i) builder.task("Task-" + std::to_string(i), Done{});
  ClosingSink all(1'000'000);
  CHECK(write_json(builder.report, {.tool_version = "0.1.0"}, all));
  CHECK(all.writes() > 20);
  ClosingSink closed(2);
  CHECK_FALSE(write_json(builder.report, {.tool_version = "0.1.0"}, closed));
  CHECK(closed.writes() == 3);
}

}  // namespace asyncspy
