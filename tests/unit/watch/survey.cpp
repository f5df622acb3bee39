#include "survey.h"

#include "catch.h"
#include "is_near.h"
#include "sample_report.h"

namespace asyncspy {
namespace {

Report make_report(std::size_t tasks, std::int64_t seconds) {
  sample::ReportBuilder b;
  b.loop(LoopState::kIdle);
  for (std::size_t i = 0; i < tasks; ++i) {
    Task& task = b.task("task-" + std::to_string(i), OnTimer{1e9, 1e6});
    task.stack = {b.frame(FrameKind::kCoroutine, "wait_for_ever", "/srv/app.py", 7)};
  }
  b.group(0, static_cast<std::uint32_t>(tasks));
  b.report.capture.monotonic_ns = seconds * 1'000'000'000;
  return b.report;
}

Finding make_finding(Confidence confidence, Severity severity = Severity::kError) {
  Finding finding;
  finding.rule = "P08";
  finding.severity = severity;
  finding.confidence = confidence;
  finding.sentence = "two tasks wait for each other";
  finding.culprit = Culprit{"transfer", "/srv/bank.py", 12, "Lock.acquire"};
  return finding;
}

}  // namespace

TEST_CASE("a proven finding is told once, and again after it had gone") {
  const WatchSettings settings;
  Survey survey(settings);
  Report wrong = make_report(2, 100);
  wrong.findings = {make_finding(Confidence::kObserved), make_finding(Confidence::kProven, Severity::kInfo), make_finding(Confidence::kProven),
                    make_finding(Confidence::kProven)};
  Report right = make_report(2, 200);
  const auto first = survey.add(wrong);
  REQUIRE(first.size() == 1);
  CHECK(first[0].trigger == IncidentTrigger::kFinding);
  CHECK(first[0].cause == "P08: transfer (/srv/bank.py)");
  CHECK(survey.add(wrong).empty());
  CHECK(survey.add(right).empty());
  CHECK(survey.add(wrong).size() == 1);
}

TEST_CASE("tasks that wait for too long are one incident for each place, and told once") {
  WatchSettings settings;
  settings.pending = 50;
  Survey survey(settings);
  for (const std::int64_t time : {100, 120, 149}) {
    Report report = make_report(3, time);
    CHECK(survey.add(report).empty());
  }
  Report report = make_report(3, 155);
  const auto incidents = survey.add(report);
  REQUIRE(incidents.size() == 1);
  CHECK(incidents[0].trigger == IncidentTrigger::kPending);
  CHECK(incidents[0].culprit->function == "wait_for_ever");
  CHECK(is_near(*incidents[0].seconds, 55));
  Report later = make_report(3, 255);
  CHECK(survey.add(later).empty());
}

TEST_CASE("tasks that become more at each look are an incident, those that come and go are none") {
  WatchSettings settings;
  settings.growth = 40;
  Survey growing(settings);
  Survey waving(settings);
  std::size_t told = 0;
  for (std::int64_t i = 0; i < 6; ++i) {
    Report more = make_report(static_cast<std::size_t>(10 + 10 * i), 100 + i);
    const auto incidents = growing.add(more);
    if (!incidents.empty()) CHECK(incidents[0].cause == "growth: wait_for_ever (/srv/app.py)");
    told += incidents.size();
    Report wave = make_report(static_cast<std::size_t>(i == 3 ? 5 : 10 + 10 * i), 100 + i);
    CHECK(waving.add(wave).empty());
  }
  CHECK(told == 1);
}

TEST_CASE("tasks and findings are counted for metrics") {
  Report report = make_report(5, 100);
  report.tasks[0].state = TaskState::kFinished;
  report.tasks[1].running = true;
  report.findings = {make_finding(Confidence::kProven), make_finding(Confidence::kProven), make_finding(Confidence::kObserved, Severity::kInfo)};
  const SurveyFacts facts = count_facts(report);
  CHECK(facts.tasks == std::map<std::string, std::uint64_t>{{"finished", 1}, {"pending", 3}, {"running", 1}});
  CHECK(facts.findings == std::map<std::pair<std::string, std::string>, std::uint64_t>{{{"P08", "proven"}, 2}});
}

}  // namespace asyncspy
