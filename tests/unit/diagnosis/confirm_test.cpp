#include "confirm.h"

#include "catch.h"
#include "sample_graph.h"

namespace asyncspy {
namespace {

Finding make_finding(std::string rule, std::vector<Address> tasks, int line = 7) {
  Finding finding;
  finding.rule = std::move(rule);
  finding.confidence = Confidence::kObserved;
  finding.culprit = Culprit{"work", "/srv/app.py", line, {}};
  finding.tasks = std::move(tasks);
  finding.momentary = true;
  return finding;
}

Report make_look(double seconds) {
  Report report = sample::make_tasks({{}, {}, {}});
  report.capture.monotonic_ns = static_cast<std::int64_t>((1000 + seconds) * 1e9);
  return report;
}

}  // namespace

TEST_CASE("what two looks find at the same task, which has not moved, stays a warning") {
  Report before = make_look(0);
  Report after = make_look(0.25);
  before.findings = {make_finding("P13", {before.tasks[0].id, before.tasks[1].id})};
  after.findings = {make_finding("P13", {after.tasks[1].id})};
  after.findings[0].when_confirmed = Confidence::kProven;
  CHECK(has_momentary_findings(after));
  confirm_findings(before, after);
  CHECK_FALSE(has_momentary_findings(after));
  CHECK(after.findings[0].severity == Severity::kWarning);
  CHECK(after.findings[0].confidence == Confidence::kProven);
  CHECK(after.findings[0].evidence.back() == "seen in two looks, 250 ms apart, and nothing of it has moved");
}

TEST_CASE("what one of two looks finds becomes a note") {
  const auto severity_of = [](auto change) {
    Report before = make_look(0);
    Report after = make_look(0.25);
    before.findings = {make_finding("P13", {before.tasks[0].id})};
    after.findings = {make_finding("P13", {after.tasks[0].id})};
    change(before, after);
    confirm_findings(before, after);
    return after.findings[0].severity;
  };
  CHECK(severity_of([](Report&, Report&) {}) == Severity::kWarning);
  CHECK(severity_of([](Report& before, Report&) { before.findings.clear(); }) == Severity::kInfo);
  CHECK(severity_of([](Report& before, Report&) { before.findings[0].rule = "P10"; }) == Severity::kInfo);
  CHECK(severity_of([](Report& before, Report&) { before.findings[0].culprit->line = 8; }) == Severity::kInfo);
  CHECK(severity_of([](Report& before, Report&) { before.findings[0].culprit.reset(); }) == Severity::kInfo);
  CHECK(severity_of([](Report& before, Report&) { before.findings[0].tasks = {before.tasks[2].id}; }) == Severity::kInfo);
  CHECK(severity_of([](Report&, Report& after) { after.tasks[0].awaited = Address{0x77}; }) == Severity::kInfo);  // it moved
  CHECK(severity_of([](Report& before, Report& after) { before.findings[0].tasks = after.findings[0].tasks = {}; }) == Severity::kInfo);
  CHECK(severity_of([](Report& before, Report& after) {
          for (Report* report : {&before, &after}) report->findings[0].tasks.clear(), report->findings[0].threads = {4711};
        }) == Severity::kWarning);
}

TEST_CASE("what can not pass is left as it is, and notes come after warnings") {
  Report before = make_look(0);
  Report after = make_look(1);
  after.findings = {make_finding("P10", {}), make_finding("P08", {})};
  after.findings[1].momentary = false;
  confirm_findings(before, after);
  CHECK(after.findings[0].rule == "P08");
  CHECK(after.findings[0].evidence.empty());
  CHECK(after.findings[1].severity == Severity::kInfo);
}

}  // namespace asyncspy
