// What is wrong, before everything else.
#include <fmt/format.h>

#include <algorithm>

#include "escape.h"
#include "text_blocks.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxBriefs = 12;
constexpr std::size_t kMaxEvidence = 10;

Role role_of(Severity severity) {
  switch (severity) {
    case Severity::kError: return Role::kBlocked;
    case Severity::kWarning: return Role::kWarning;
    case Severity::kInfo: break;
  }
  return Role::kHeading;
}

void put_head(TextPage& page, const Finding& finding) {
  const std::string head = fmt::format("{} {}", page.safe(finding.rule), to_word(finding.severity));
  page.line(fmt::format("  {} {}  {}", page.paint(role_of(finding.severity), head),
                        page.paint(Role::kDim, fmt::format("({})", to_word(finding.confidence))),
                        escape_for_terminal(finding.sentence)));
}

void put_finding(TextPage& page, const Finding& finding) {
  put_head(page, finding);
  const std::size_t shown = page.cut(finding.evidence.size(), kMaxEvidence);
  for (std::size_t i = 0; i < shown; ++i) page.line("      - " + escape_for_terminal(finding.evidence[i]));
  if (shown < finding.evidence.size()) {
    page.line(fmt::format("      - and {} more: --all shows them", finding.evidence.size() - shown));
  }
  if (!finding.tasks.empty()) page.line("      tasks: " + page.list_tasks(finding.tasks));
  if (!finding.threads.empty()) {
    std::vector<std::string> names;
    for (int tid : finding.threads) {
      const Thread* thread = page.find_thread_by_tid(tid);
      names.push_back(thread != nullptr ? page.name_of(*thread) : fmt::format("thread {}", tid));
    }
    page.line("      threads: " + page.list_names(names));
  }
  if (!finding.fix.empty()) page.line("      fix: " + escape_for_terminal(finding.fix));
}

}  // namespace

void put_findings(TextPage& page, std::size_t lines) {
  const std::vector<Finding>& findings = page.report().findings;
  if (findings.empty()) return;
  page.blank();
  page.line(page.paint(Role::kHeading, fmt::format("FINDINGS  {}", findings.size())));
  const BlockSpace space{.lines = lines, .always = 1, .briefs = kMaxBriefs};
  const std::size_t shown = put_blocks(page, findings.size(), space, [&](std::size_t i) { put_finding(page, findings[i]); },
                                       [&](std::size_t i) { put_head(page, findings[i]); });
  if (shown < findings.size()) {
    page.line(fmt::format("  ... and {}: --all shows them", format_count(findings.size() - shown, "more finding")));
  }
}

}  // namespace asyncspy
