#include "confirm.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "compare.h"
#include "finding_order.h"
#include "words.h"

namespace asyncspy {
namespace {

bool same_place(const Finding& one, const Finding& other) {
  if (one.rule != other.rule || one.culprit.has_value() != other.culprit.has_value()) return false;
  return !one.culprit || (one.culprit->file == other.culprit->file && one.culprit->line == other.culprit->line &&
                          one.culprit->function == other.culprit->function);
}

class Confirmation {
 public:
  Confirmation(const Report& before, const Report& after) : before_(before), comparison_(compare_reports(before, after)) {
    for (const TaskChange& change : comparison_.tasks) {
      if (change.fate == TaskFate::kStill && change.after != kNowhere) still_.emplace(after.tasks[change.after].id, before.tasks[change.before].id);
    }
  }

  [[nodiscard]] bool confirms(const Finding& finding) const {
    return std::ranges::any_of(before_.findings, [&](const Finding& earlier) { return same_place(earlier, finding) && shares(earlier, finding); });
  }
  [[nodiscard]] std::string apart() const { return comparison_.seconds ? format_duration(*comparison_.seconds) + " apart" : "one after the other"; }

 private:
  // One of its tasks has not moved since; where no task is concerned, one of its threads.
  [[nodiscard]] bool shares(const Finding& earlier, const Finding& finding) const {
    if (finding.tasks.empty()) {
      return std::ranges::any_of(finding.threads, [&](int tid) { return std::ranges::find(earlier.threads, tid) != earlier.threads.end(); });
    }
    return std::ranges::any_of(finding.tasks, [&](Address id) {
      const auto known = still_.find(id);
      return known != still_.end() && std::ranges::find(earlier.tasks, known->second) != earlier.tasks.end();
    });
  }

  const Report& before_;
  Comparison comparison_;
  std::unordered_map<Address, Address> still_;  // tasks by their later id
};

}  // namespace

bool has_momentary_findings(const Report& report) { return std::ranges::any_of(report.findings, &Finding::momentary); }

void confirm_findings(const Report& before, Report& after) {
  if (!has_momentary_findings(after)) return;
  const Confirmation confirmation(before, after);
  for (Finding& finding : after.findings) {
    if (!finding.momentary) continue;
    if (confirmation.confirms(finding)) {
      finding.momentary = false;
      finding.confidence = finding.when_confirmed.value_or(finding.confidence);
      finding.evidence.push_back(fmt::format("seen in two looks, {}, and nothing of it has moved", confirmation.apart()));
    } else {
      finding.severity = Severity::kInfo;
      finding.evidence.push_back(fmt::format("seen in one of two looks, {}: it may be over in a moment", confirmation.apart()));
    }
  }
  sort_findings(after.findings);
}

}  // namespace asyncspy
