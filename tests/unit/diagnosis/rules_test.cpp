// What the rules make of facts, one by one: what has to be there, and what keeps them silent. Whole situations are in tests/live.
#include <algorithm>

#include "catch.h"
#include "diagnose.h"
#include "rule.h"
#include "sample_report.h"

namespace asyncspy {
namespace {

class Service : public sample::ReportBuilder {
 public:
  Service() { loop(LoopState::kIdle); }

  Task& suspended(std::string name, Wait wait) {
    Task& added = task(std::move(name), std::move(wait));
    added.stack = {frame(FrameKind::kCoroutine, "work", "/srv/app.py", 5)};
    return added;
  }
  TaskFacts& facts_of(Task& of) {
    of.facts = static_cast<std::uint32_t>(report.facts.size());
    return report.facts.emplace_back();
  }
  // Those of one rule.
  [[nodiscard]] std::vector<Finding> find(std::string_view rule) const {
    std::vector<Finding> found = diagnose(report);
    std::erase_if(found, [&](const Finding& each) { return each.rule != rule; });
    return found;
  }
};

}  // namespace

TEST_CASE("every rule is explained, and has an id of its own") {
  std::vector<std::string_view> ids;
  for (const Rule* rule : all_rules()) {
    CHECK(find_rule(rule->id) == rule);
    for (std::string_view text : {rule->title, rule->meaning, rule->looks_at, rule->example, rule->remedy}) CHECK(text.size() > 10);
    CHECK(std::ranges::find(ids, rule->id) == ids.end());
    ids.push_back(rule->id);
  }
  CHECK(ids.size() == 26);  // all of the catalogue but P25
  CHECK(find_rule("P25") == nullptr);
}

TEST_CASE("P04: an error that nobody has asked for, unless somebody is going to") {
  Service service;
  Task& failed = service.task("refresh", Done{});
  failed.state = TaskState::kFinished;
  service.report.names = {"refresh", "/srv/app.py"};
  service.facts_of(failed).outcome = Outcome{true, "ValueError: boom", true, false, {{0, 1, 9}}};
  auto found = service.find("P04");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::kWarning);
  CHECK(found[0].momentary);
  CHECK(found[0].sentence == "refresh failed with ValueError: boom in refresh (/srv/app.py:9), and nobody has asked for it");
  service.report.facts[0].outcome->held = true;
  CHECK(service.find("P04").at(0).severity == Severity::kInfo);
  service.report.facts[0].outcome->never_retrieved = false;
  CHECK(service.find("P04").empty());
  service.report.facts[0].outcome->never_retrieved = true;
  const Address id = service.report.tasks[0].id;
  service.suspended("main", OnTask{id, "await"}).awaited = id;
  CHECK(service.find("P04").empty());
}

TEST_CASE("P05: a task that nothing refers to stands in place of P07") {
  Service service;
  Task& lost = service.suspended("listen", OnFuture{Address{0x50}, "_asyncio.Future", "pending"});
  CHECK(service.find("P07").size() == 1);
  service.facts_of(lost).unreachable = true;
  CHECK(service.find("P05").at(0).confidence == Confidence::kProven);
  CHECK(service.find("P07").empty());
}

TEST_CASE("P13: observed while it handles its cancellation, else a note") {
  Service service;
  Task& task = service.suspended("stubborn", OnTimer{});
  CHECK(service.find("P13").empty());
  task.cancel_requests = 2;
  auto found = service.find("P13");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::kInfo);
  CHECK(found[0].confidence == Confidence::kSuspected);
  service.facts_of(task).handling = {{0, "asyncio.exceptions.CancelledError", true}};
  found = service.find("P13");
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::kWarning);
  CHECK(found[0].confidence == Confidence::kObserved);
  CHECK(found[0].momentary);
  task.cancel_requests.reset();  // before 3.11
  CHECK(service.find("P13").at(0).severity == Severity::kWarning);
  task.cancel_requests = 0;  // the CancelledError is one of something that it awaited
  CHECK(service.find("P13").empty());
  task.cancel_requests = 1;
  task.must_cancel = true;
  CHECK(service.find("P13").empty());
}

TEST_CASE("P14 and P15: tasks that go on after what awaited them") {
  Service service;
  Task& task = service.suspended("fetch", OnTimer{});
  TaskFacts& facts = service.facts_of(task);
  facts.abandoned = Abandonment{"gather", false, "ValueError: boom"};
  CHECK(service.find("P14").at(0).sentence == "fetch goes on in the background although the gather() that started it is over, with ValueError: boom: fetch");
  facts.abandoned = Abandonment{"gather", true, ""};
  CHECK(service.find("P14").empty());
  facts.abandoned = Abandonment{"shield", true, ""};
  CHECK(service.find("P15").size() == 1);
  facts.abandoned.reset();
  CHECK(service.find("P15").empty());
  OnMany many{"gather", {}, 2, 5};
  many.failed = 1;
  many.failure = "ValueError: boom";
  service.suspended("main", many);
  CHECK(service.find("P14").at(0).severity == Severity::kInfo);
}

TEST_CASE("P20: clients that are open, and generators that nobody goes on with, by their number") {
  Service service;
  service.report.objects = {{LiveKind::kInstance, "aiohttp.client.ClientSession", "", 0, 12, 12}};
  CHECK(service.find("P20").at(0).severity == Severity::kWarning);
  service.report.objects[0].open = 9;
  CHECK(service.find("P20").empty());
  service.report.objects = {{LiveKind::kInstance, "asyncio.streams.StreamWriter", "", 0, 500, 500}};
  CHECK(service.find("P20").empty());
  service.report.objects = {{LiveKind::kAsyncGenerator, "feed", "/srv/app.py", 3, 2, {}}};
  CHECK(service.find("P20").at(0).severity == Severity::kInfo);
}

TEST_CASE("P24: a group that cancels, and tasks of it that go on; not while the cancellation is on its way") {
  Service service;
  Task& child = service.suspended("child", OnTimer{});
  const Address child_id = child.id;
  OnMany many{"TaskGroup", {child_id}, 1, 1};
  many.group = Address{0x900};
  service.suspended("parent", many);
  Primitive group;
  group.id = Address{0x900};
  group.kind = "TaskGroup";
  group.facts = {{"cancelling", false}, {"errors", std::int64_t{1}}, {"error", std::string("ValueError: boom")}};
  service.report.primitives = {group};
  CHECK(service.find("P24").empty());
  service.report.primitives[0].facts[0].value = true;
  auto found = service.find("P24");
  REQUIRE(found.size() == 1);
  CHECK(found[0].sentence.find("because of ValueError: boom, and child waits on") != std::string::npos);
  service.report.tasks[0].must_cancel = true;
  CHECK(service.find("P24").empty());
  service.report.tasks[0].must_cancel = false;
  service.report.tasks[0].wait = Ready{"its next step is in the ready queue"};
  CHECK(service.find("P24").empty());
}

TEST_CASE("P27: the only thread of a fork in a lock without a timeout, and nothing less") {
  Service service;
  Thread& thread = service.thread(7, "MainThread");
  thread.system_call = SystemCallReport{"futex", "futex(FUTEX_WAIT_BITSET, 0x10)", {}, {}, Address{0x10}};
  thread.loop = 0;
  service.report.loops[0].thread = 0;
  service.report.loops[0].state = LoopState::kBlocked;
  thread.stack = {service.frame(FrameKind::kFunction, "main", "/srv/app.py", 5, true)};
  CHECK(service.find("P27").empty());
  CHECK(service.find("P03").size() == 1);
  service.report.process.forked_from = 4000;
  CHECK(service.find("P27").at(0).confidence == Confidence::kProven);
  CHECK(service.find("P03").empty());
  service.report.threads[0].system_call->remaining_seconds = 5;
  CHECK(service.find("P27").empty());
  service.report.threads[0].system_call->remaining_seconds.reset();
  service.thread(8, "other");
  CHECK(service.find("P27").empty());
}

}  // namespace asyncspy
