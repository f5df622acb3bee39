#include "diagnose.h"

#include <fmt/format.h>

#include <algorithm>

#include "finding_order.h"
#include "merge.h"
#include "rule.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostOfOneRule = 50;

constexpr double kLong = 0.1;  // seconds: what has lasted so long is no matter of a moment

bool may_pass(const Rule& rule, const Finding& finding) {
  if (finding.severity == Severity::kInfo || finding.confidence == Confidence::kProven || finding.at_least_seconds.value_or(0) >= kLong) return false;
  return rule.passing == Passing::kAll || (rule.passing == Passing::kWarnings && finding.severity == Severity::kWarning);
}

void limit(std::vector<Finding>& found) {
  if (found.size() <= kMostOfOneRule) return;
  sort_findings(found);
  const std::size_t more = found.size() - kMostOfOneRule;
  found.resize(kMostOfOneRule);
  found.back().evidence.push_back(fmt::format("{} more findings of this rule are left out", more));
}

}  // namespace

std::vector<Finding> diagnose(const Report& report) {
  std::vector<Finding> findings;
  if (report.asyncio == AsyncioPresence::kNotImported) return findings;
  const Case seen(report);
  for (const Rule* rule : all_rules()) {
    std::vector<Finding> found;
    rule->find(seen, found);
    for (Finding& finding : found) {
      finding.rule = rule->id;
      finding.momentary = may_pass(*rule, finding);
    }
    limit(found);
    std::ranges::move(found, std::back_inserter(findings));
  }
  merge_findings(findings);
  sort_findings(findings);
  return findings;
}

}  // namespace asyncspy
