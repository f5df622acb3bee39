#include "metrics.h"

#include "catch.h"

namespace asyncspy {
namespace {

bool has(const std::string& text, const std::string& line) { return ("\n" + text).find("\n" + line + "\n") != std::string::npos; }

}  // namespace

TEST_CASE("metrics of a process carry its labels, escaped") {
  TargetMetrics target;
  target.pid = 12;
  target.command = "python3 -c \"print('\\n')\"\n\x01 \xFF \xC3\xBC";
  target.names = {"pod-uid", "container-id"};
  target.up = true;
  target.counts.looks = 100;
  target.counts.stalls = 2;
  target.stalled_seconds = 1.5;
  target.counts.lags[0] = 3;
  target.counts.lags.back() = 1;
  target.counts.lag_sum = 40;
  target.facts.tasks = {{"pending", 7}};
  target.facts.findings = {{{"P08", "proven"}, 1}};
  target.incidents[static_cast<std::size_t>(IncidentTrigger::kLag)] = 4;
  const std::string text = render_metrics({target}, {"0.1.0", 0.25, 4096});
  const std::string labels = R"(pid="12",command="python3 -c \"print('\\n')\"\n? ? )" "\xC3\xBC" R"(",pod="pod-uid",container="container-id")";
  CHECK(has(text, "asyncspy_targets 1"));
  CHECK(has(text, "asyncspy_samples_total{" + labels + "} 100"));
  CHECK(has(text, "asyncspy_loop_blocked_seconds_total{" + labels + "} 1.5"));
  CHECK(has(text, "asyncspy_loop_lag_seconds_bucket{" + labels + ",le=\"0.001\"} 3"));
  CHECK(has(text, "asyncspy_loop_lag_seconds_bucket{" + labels + ",le=\"30\"} 3"));
  CHECK(has(text, "asyncspy_loop_lag_seconds_bucket{" + labels + ",le=\"+Inf\"} 4"));
  CHECK(has(text, "asyncspy_loop_lag_seconds_count{" + labels + "} 4"));
  CHECK(has(text, "asyncspy_tasks{" + labels + ",state=\"pending\"} 7"));
  CHECK(has(text, "asyncspy_findings{" + labels + ",rule=\"P08\",confidence=\"proven\"} 1"));
  CHECK(has(text, "asyncspy_incidents_total{" + labels + ",trigger=\"lag\"} 4"));
  CHECK(has(text, "process_resident_memory_bytes 4096"));
}

TEST_CASE("a long command line is cut between characters") {
  TargetMetrics target;
  for (int i = 0; i < 100; ++i) target.command += "\xE2\x82\xAC";
  const std::string text = render_metrics({target}, {});
  const std::size_t begin = text.find("command=\"") + 9;
  const std::string command = text.substr(begin, text.find('"', begin) - begin);
  CHECK(command.size() == 120);
}

}  // namespace asyncspy
