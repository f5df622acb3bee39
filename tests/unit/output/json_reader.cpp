#include "json_reader.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "catch.h"
#include "dot_report.h"
#include "json_object.h"
#include "json_report.h"
#include "sample_report.h"
#include "text_report.h"

namespace asyncspy {
namespace {

using nlohmann::json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string write(const Report& report) { return render_json(report, {.tool_version = "0.1.0"}); }

// One of everything, with values that are easily lost.
Report make_everything() {
  Report service = sample::make_blocked_service();
  sample::ReportBuilder b;
  b.report = std::move(service);
  b.task("unknown", Unknown{"its future could not be read"});
  b.task("done", Done{}).state = TaskState::kFinished;
  b.task("ready", Ready{"not started"});
  b.task("task", OnTask{b.report.tasks[0].id, "shield"});
  b.task("future", OnFuture{Address{0x20}, "asyncio.Future", "pending", "fd 7, the transport of self in fetch", 7});
  b.task("other future", OnFuture{Address{0x21}, "asyncio.Future", "pending"});
  b.task("never", OnTimer{kInfinity, kInfinity});
  b.task("always", OnTimer{-kInfinity, -kInfinity});
  b.task("no clock", OnTimer{77.5, std::nullopt});
  b.task("fd", OnDescriptor{9, "sock_recv"});
  b.task("many", OnMany{"gather", {Address{0x40}, Address{0x50}}, 3, 5});
  b.task("job", OnJob{Address{0x60}});
  b.task("process", OnProcess{4711, "wait"}).deadline = Deadline{1002, 2, "asyncio.timeout"};
  b.task("late", Running{}).deadline = Deadline{kInfinity, kInfinity, "asyncio.timeout"};
  for (const char* name : {"", "\x1b]0;x\x07 \"quoted\" back\\slash\n\t", "Gr\xC3\xBC\xC3\x9F" "e \xF0\x9F\x90\x8D", "\xE2\x80\xAE", "\\udc80 as text"}) {
    b.task(name, Ready{name}).type = name;
  }
  Frame opaque;
  opaque.kind = FrameKind::kOpaque;
  b.report.names = {"cython.coroutine", "fetch", "renamed"};
  opaque.type_name = 0;
  Frame named = opaque;
  named.name = 1;
  Frame renamed = b.frame(FrameKind::kGenerator, "outer.<locals>.inner", "/srv/a.py", 3);
  renamed.name = 2;
  Frame nothing;
  Frame unlined = b.frame(FrameKind::kAsyncGenerator, "agen", "", 0);
  unlined.locals = 0;
  b.report.locals = {{{{"self", "<Server at 0x10>", VariableKind::kArgument}, {"password", "<masked>", VariableKind::kLocal},
                       {"x", "1", VariableKind::kClosure}}, 3, ""}, {{}, 0, "memory is not mapped"}};
  const Frame twice = renamed;
  renamed.locals = 1;
  b.task("frames", Ready{"x"}).stack = {opaque, named, renamed, twice, twice, nothing, unlined};
  TaskFacts facts;
  facts.created_at = {{1, 0, 7}, {2, 1, 0}};
  facts.coroutine_origin = {{0, 2, 9}};
  facts.context = {{"request_id", "'\x1b'"}, {"user", "<masked>"}};
  facts.handling = {{0, "ValueError: boom\x1b[31m", false}, {1, "asyncio.exceptions.CancelledError", true}};
  TaskFacts ended;
  ended.outcome = Outcome{true, "ValueError: boom", true, true, {{1, 0, 7}, {2, 1, 0}}};
  TaskFacts returned;
  returned.outcome = Outcome{false, "None", false};
  TaskFacts forgotten;
  forgotten.abandoned = Abandonment{"gather", false, "ValueError: boom"};
  forgotten.unreachable = true;
  b.report.facts = {facts, ended, returned, {}, forgotten};
  for (std::uint32_t i = 0; i < b.report.facts.size(); ++i) b.report.tasks[i].facts = i;
  Primitive lock;
  lock.id = Address{0x7f44'0000'1000};
  lock.kind = "Lock";
  lock.type = "asyncio.locks.Lock";
  lock.facts = {{"locked", true}, {"count", std::int64_t{-3}}, {"tokens", 5.0}, {"more", kInfinity}, {"text", std::string("x")}};
  lock.waiters = {b.report.tasks[2].id};
  lock.strange_waiters = 2;
  lock.holders = {{b.report.tasks[0].id, "inside `async with`", true}, {b.report.tasks[1].id, "in a local variable", false}};
  lock.lock = Address{0x7f44'0000'2000};
  lock.descriptor = 0;
  lock.gaps = {{"waiters", "torn", Address{0x1}}};
  b.report.primitives = {lock, {}};
  Job job;
  job.id = Address{0x60};
  job.state = JobState::kQueued;
  job.function = "render";
  job.thread = 2;
  job.executor = Address{0x61};
  job.executor_type = "ThreadPoolExecutor";
  job.ahead = 0;
  job.queued = std::numeric_limits<std::uint64_t>::max();
  job.workers = 8;
  b.report.jobs = {job, {}};
  Incident incident;
  incident.id = 17;
  incident.trigger = IncidentTrigger::kStall;
  incident.detected_ns = 1'795'166'400'123'456'000;
  incident.loop = b.report.loops[0].id;
  incident.seconds = 1.25;
  incident.culprit = LightFrame{"burn\x1b", "/srv/a.py", 3};
  incident.cause = "stall: burn (/srv/a.py)";
  LightLoop seen;
  seen.id = incident.loop;
  seen.state = LoopState::kBlocked;
  seen.task = b.report.tasks[0].id;
  seen.callback = "tick";
  seen.ready = 3;
  seen.late = 0.5;
  seen.call = "clock_nanosleep";
  seen.stack = {{"handler", "/srv/a.py", 9}, {"burn", "", 0}};
  LightLoop before;
  before.id = incident.loop;
  incident.samples = {{-1.5, before}, {0, seen}};
  b.report.incident = incident;
  b.report.children = {{4711, 0, 'Z', "sleep", "sleep 100"}, {4712, 3, 'S', "", ""}};
  b.report.descriptors = {*b.report.threads[0].system_call->descriptor, {}};
  b.report.threads[0].awaited_job = Address{0x60};
  b.report.threads[0].awaited_task = b.report.tasks[1].id;
  b.report.threads[1].gaps = {{"stack", "torn", {}}};
  b.report.loops[0].timers.push_back({Address{0x70}, kInfinity, false, kNoFunction});
  b.report.names.emplace_back("x");
  b.report.loops[0].timers.push_back({Address{0x71}, std::nullopt, true, static_cast<std::uint32_t>(b.report.names.size() - 1)});
  b.report.loops[0].gaps = {{"ready queue", "torn", {}}};
  b.loop(LoopState::kIdle).debug = true;
  b.report.loops[1].current_callback = "serve";
  b.report.process.tracer_pid = 99;
  b.report.process.forked_from = 98;
  b.report.capture.heap_objects = 1000;
  b.report.objects = {{LiveKind::kCoroutine, "notify\x1b", "/srv/app.py", 5, 3, {}}, {LiveKind::kAsyncGenerator, "feed", "", 0, 1, {}},
                      {LiveKind::kInstance, "aiohttp.client.ClientSession", "", 0, 30, 0}};
  b.report.capture.samples = 3;
  b.report.capture.sampled_seconds = 2.5;
  b.report.tasks[2].waiting_at_least = 2.5;
  b.report.tasks[3].waiting_at_least = 0;
  b.report.process.executable_deleted = true;
  b.report.gaps = {{"modules", "torn", Address{std::numeric_limits<std::uint64_t>::max()}}};
  b.report.python.interpreters = 3;
  return std::move(b.report);
}

void check_same(const Report& report) {
  const std::string document = write(report);
  const auto stored = read_json(document);
  REQUIRE(stored.has_value());
  CHECK(stored->unknown.empty());
  CHECK(stored->tool_version == "0.1.0");
  CHECK(write(stored->report) == document);
  for (const bool all : {false, true}) {
    TextOptions options{.colour = all, .all = all, .threads = all};
    CHECK(render_text(stored->report, options) == render_text(report, options));
    options.view = TextView::kTree;
    CHECK(render_text(stored->report, options) == render_text(report, options));
    options.view = TextView::kTask;
    options.task = "*";
    CHECK(render_text(stored->report, options) == render_text(report, options));
    CHECK(render_dot(stored->report, {.all = all}) == render_dot(report, {.all = all}));
  }
}

std::string problem_of(const std::string& document) {
  const auto stored = read_json(document);
  return stored ? "" : stored.error().what;
}

// The document with one member changed.
template <class Change>
std::string problem_after(Change change) {
  json document = json::parse(write(make_everything()));
  change(document);
  return problem_of(document.dump());
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a report that was written is read again as the same report") {
  check_same(sample::make_blocked_service());
  check_same(make_everything());
  check_same(sample::ReportBuilder().report);
  Report core = make_everything();
  core.capture.mode = CaptureMode::kCore;
  core.capture.monotonic_ns = core.capture.realtime_ns = 0;
  core.process.uptime_seconds = 0;
  core.process.resident_bytes = 0;
  for (Task& task : core.tasks) {
    if (auto* timer = std::get_if<OnTimer>(&task.wait)) timer->remaining.reset();
    if (task.deadline) task.deadline->remaining.reset();
  }
  check_same(core);
}

TEST_CASE("every member of the model is in the JSON: what is read again is equal member by member") {
  const Report report = make_everything();
  const Report again = read_json(write(report))->report;
  CHECK(again.process.tracer_pid == 99);
  CHECK(again.process.forked_from == 98);
  CHECK(again.capture.heap_objects == 1000);
  REQUIRE(again.objects.size() == 3);
  CHECK(again.objects[2].open == 0);
  CHECK(again.capture.samples == 3);
  CHECK(again.tasks[2].waiting_at_least == 2.5);
  CHECK(again.capture.monotonic_ns == report.capture.monotonic_ns);
  CHECK(again.capture.realtime_ns == report.capture.realtime_ns);
  REQUIRE(again.primitives.size() == 2);
  CHECK(std::get<double>(again.primitives[0].facts[2].value) == 5.0);
  CHECK(again.primitives[0].holders[0].certain);
  CHECK(again.primitives[0].descriptor == 0);
  CHECK(again.primitives[1].descriptor == -1);
  CHECK(again.jobs[0].queued == std::numeric_limits<std::uint64_t>::max());
  CHECK(again.children[1].namespace_pid == 3);
  CHECK(again.threads[0].awaited_task == report.tasks[1].id);
  CHECK(again.gaps[0].at == report.gaps[0].at);
  REQUIRE(again.tasks.size() == report.tasks.size());
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    CHECK(again.tasks[i].wait.index() == report.tasks[i].wait.index());
    CHECK(again.tasks[i].name == report.tasks[i].name);
  }
  CHECK(again.groups.size() == report.groups.size());
}

TEST_CASE("the order of members does not matter, nor does white space") {
  const Report report = make_everything();
  const auto sorted = read_json(json::parse(write(report)).dump(2));  // nlohmann::json sorts the members: groups before tasks
  REQUIRE(sorted.has_value());
  CHECK(write(sorted->report) == write(report));
}

TEST_CASE("times that nanoseconds do not hold exactly come out as they went in") {
  for (std::int64_t ns : {1LL, 999'999'999LL, 123'456'789'012'345LL, 4'503'599'627'370'497LL, 8'999'999'999'999'999'999LL}) {
    Report report = sample::make_blocked_service();
    report.capture.monotonic_ns = ns;
    const std::string document = write(report);
    INFO(ns);
    REQUIRE(read_json(document).has_value());
    CHECK(write(read_json(document)->report) == document);
  }
}

TEST_CASE("what is wrong is named with its place") {
  CHECK(contains(problem_after([](json& root) { root["tasks"][3]["state"] = "asleep"; }), "tasks[3].state: \"asleep\" is none of the words"));
  CHECK(contains(problem_after([](json& root) { root["tasks"][3]["id"] = 12; }), "tasks[3].id: 12 is no text"));
  CHECK(contains(problem_after([](json& root) { root["tasks"][3]["id"] = "0xg"; }), "tasks[3].id: \"0xg\" is no address"));
  CHECK(contains(problem_after([](json& root) { root["tasks"][3].erase("name"); }), "tasks[3].name: is missing"));
  CHECK(contains(problem_after([](json& root) { root["tasks"][0]["stack"][1]["line"] = 1.5; }), "tasks[0].stack[1].line: 1.5 is no whole number"));
  CHECK(contains(problem_after([](json& root) { root["tasks"][0]["callbacks"] = -1; }), "tasks[0].callbacks: -1 is out of range"));
  CHECK(contains(problem_after([](json& root) { root["tasks"][0]["callbacks"] = 1e300; }), "tasks[0].callbacks"));
  CHECK(contains(problem_after([](json& root) { root["tasks"][0]["loop"] = 7; }), "tasks[0].loop: points nowhere"));
  CHECK(contains(problem_after([](json& root) { root["loops"][0]["thread"] = -2; }), "loops[0].thread: is negative"));
  CHECK(contains(problem_after([](json& root) { root["groups"][0]["tasks"][0] = "0x1"; }), "groups[0].tasks: 0x1 is no task"));
  CHECK(contains(problem_after([](json& root) { root["groups"][0]["count"] = 9; }), "groups[0].count"));
  CHECK(contains(problem_after([](json& root) { root["tasks"] = 3; }), "tasks: 3 is no array"));
  CHECK(contains(problem_after([](json& root) { root["tasks"] = {{"a", json::object()}}; }), "tasks"));
  CHECK(contains(problem_after([](json& root) { root["tasks"][1] = nullptr; }), "null is no object"));
  CHECK(contains(problem_after([](json& root) { root.erase("process"); }), "process: is missing"));
  CHECK(contains(problem_after([](json& root) { root["captured_at"] = "yesterday"; }), "captured_at: is no time"));
  CHECK(contains(problem_after([](json& root) { root["captured_at"] = "2026-13-20T09:20:00.123456Z"; }), "captured_at: is no time"));
  CHECK(contains(problem_after([](json& root) { root["tool"]["name"] = "top"; }), "tool.name"));
  CHECK(contains(problem_of("[]"), "the document: [] is no object"));
  CHECK(contains(problem_of(""), "no report of asyncspy"));
  CHECK(contains(problem_of("{}"), "is missing"));
  CHECK(contains(problem_of("{\"tasks\":[],\"tasks\":[]}"), "tasks: is there twice"));
}

TEST_CASE("a later version of the form is refused as such, whatever else it holds") {
  json document = json::parse(write(make_everything()));
  document["schema_version"] = 2;
  std::string text = document.dump();
  auto refused = read_json(text);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::kUnsupported);
  refused = read_json("{\"schema_version\":2,\"tasks\":[{}]}");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::kUnsupported);
}

TEST_CASE("what a newer asyncspy added is left out and listed") {
  json document = json::parse(write(make_everything()));
  document["weather"] = "fine";
  for (json& task : document["tasks"]) task["colour"] = "red";
  document["tasks"][2]["wait"] = {{"kind", "on_hope"}, {"much", 1}};
  document["tasks"][0]["stack"][0]["column"] = 3;
  const auto stored = read_json(document.dump());
  REQUIRE(stored.has_value());
  CHECK(stored->unknown == std::vector<std::string>{"tasks[].colour", "tasks[].stack[].column", "tasks[].wait.kind 'on_hope'", "weather"});
  CHECK(std::get<Unknown>(stored->report.tasks[2].wait).why == "a newer asyncspy calls it 'on_hope'");
}

TEST_CASE("members that came later may be absent") {
  json document = json::parse(write(sample::make_blocked_service()));
  for (const char* name : {"primitives", "jobs", "children", "descriptors"}) document.erase(name);
  document["process"].erase("tracer_pid");
  for (json& thread : document["threads"]) thread.erase("awaited_job"), thread.erase("awaited_task");
  for (json& task : document["tasks"]) task.erase("deadline"), task.erase("waiting_at_least_seconds"), task["wait"].erase("not_finite");
  CHECK(read_json(document.dump()).has_value());
}

TEST_CASE("brackets without end are refused, not followed") {
  CHECK(contains(problem_of(std::string(1'000'000, '[')), "nested too deeply"));
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  CHECK(contains(problem_of(objects), "nested too deeply"));
}

TEST_CASE("truncated reports are refused at every length") {
  Report report = sample::make_blocked_service();
  report.tasks.resize(4);
  report.groups.clear();
  const std::string document = write(report);
  REQUIRE(read_json(document).has_value());
  for (std::size_t length = 0; length + 2 < document.size(); ++length) {
    const auto stored = read_json(std::string_view(document).substr(0, length));
    if (stored.has_value()) FAIL("read at length " << length);
  }
}

TEST_CASE("mutated reports are read or refused, and what is read can be shown") {
  Report report = make_everything();
  report.tasks.erase(report.tasks.begin() + 5, report.tasks.begin() + 195);
  report.groups.clear();
  const std::string document = write(report);
  std::mt19937_64 random(20261120);
  std::size_t read = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string changed = document;
    const std::size_t changes = 1 + random() % 4;
    for (std::size_t i = 0; i < changes; ++i) {
      const std::size_t at = random() % changed.size();
      switch (random() % 5) {
        case 0: changed[at] = static_cast<char>(random()); break;
        case 1: changed[at] = "0123456789-\"{}[],:.e"[random() % 20]; break;
        case 2: changed.erase(at, 1 + random() % 8); break;
        case 3: changed.insert(at, changed.substr(random() % changed.size(), random() % 40)); break;
        default: {  // a digit of a number or an address: mostly still a report
          const std::size_t digit = changed.find_first_of("0123456789", at);
          if (digit != std::string::npos) changed[digit] = static_cast<char>('0' + random() % 10);
        }
      }
    }
    const auto stored = read_json(changed);
    if (!stored) {
      ++refused;
      CHECK_FALSE(stored.error().what.empty());
      continue;
    }
    ++read;
    TextOptions options{.all = round % 2 == 0};
    options.view = round % 3 == 0 ? TextView::kTree : TextView::kGroups;
    CHECK_FALSE(render_text(stored->report, options).empty());
    CHECK(read_json(write(stored->report)).has_value());
  }
  CHECK(read > 100);
  CHECK(refused > 100);
}

}  // namespace asyncspy
