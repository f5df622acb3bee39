// What full looks at one process tell when they are taken again and again: how its tasks are counted, what is proven to be wrong, which
// task waits for too long, and whether tasks become more and more. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "report.h"
#include "watch_settings.h"

namespace asyncspy {

// Of the last report, for metrics.
struct SurveyFacts {
  std::map<std::string, std::uint64_t> tasks;                               // by state
  std::map<std::pair<std::string, std::string>, std::uint64_t> findings;    // by rule and confidence
};

[[nodiscard]] SurveyFacts count_facts(const Report& report);

// The cause of an incident, equal for equal places: "stall: burn (/srv/app.py)", or with `otherwise` where no frame is known.
[[nodiscard]] std::string name_cause(std::string_view what, const std::optional<LightFrame>& culprit, std::string_view otherwise);

class Survey {
 public:
  explicit Survey(const WatchSettings& settings) : settings_(settings) {}

  // Incidents that the report calls for, without samples. What it said before it does not say again as long as it lasts. Times of
  // waiting are carried on into the report.
  [[nodiscard]] std::vector<Incident> add(Report& report);

 private:
  void find_findings(const Report& report, std::vector<Incident>& incidents);
  void find_long_waits(const Report& report, std::vector<Incident>& incidents);
  void find_growth(const Report& report, std::vector<Incident>& incidents);

  const WatchSettings& settings_;
  std::set<std::string> findings_;         // causes of the last report
  std::set<Address> waiting_;              // tasks that were told
  std::deque<std::uint64_t> counts_;       // tasks of the last surveys
  std::unique_ptr<Report> last_;           // only where times of waiting are wanted
};

}  // namespace asyncspy
