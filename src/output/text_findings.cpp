// What is wrong, before everything else.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "text_blocks.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxBriefs = 12;
constexpr std::size_t kMaxEvidence = 10;

constexpr std::size_t kSentenceColumns = 1000;

bool wants_all(const TextPage& page) { return page.all() || page.options().all_findings; }

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
                        page.safe(finding.sentence, kSentenceColumns)));
}

void put_where(TextPage& page, const Culprit& culprit) {
  if (culprit.file.empty()) return;
  std::string place = page.safe(culprit.file);
  if (culprit.line > 0) place += fmt::format(":{}", culprit.line);
  std::string text = fmt::format("      where: {}  {}", page.paint(Role::kLocation, place), page.paint(Role::kName, page.safe(culprit.function)));
  if (!culprit.call.empty()) text += " -> " + page.safe(culprit.call);
  page.line(text);
}

void put_finding(TextPage& page, const Finding& finding) {
  put_head(page, finding);
  const bool is_said = finding.culprit && finding.sentence.find(finding.culprit->file + ":") != std::string::npos;
  if (finding.culprit && !is_said) put_where(page, *finding.culprit);
  const std::size_t shown = wants_all(page) ? finding.evidence.size() : std::min(finding.evidence.size(), kMaxEvidence);
  for (std::size_t i = 0; i < shown; ++i) page.line("      - " + page.safe(finding.evidence[i], kSentenceColumns));
  if (shown < finding.evidence.size()) {
    page.line(fmt::format("      - and {} more: --all-findings shows them", finding.evidence.size() - shown));
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
  if (!finding.fix.empty()) page.line("      fix: " + page.safe(finding.fix, kSentenceColumns));
}

std::string count_notes(std::size_t notes) {
  return fmt::format("{}: --all-findings shows {}", format_count(notes, "note"), notes == 1 ? "it" : "them");
}

}  // namespace

void put_findings(TextPage& page, std::size_t lines) {
  std::vector<const Finding*> wanted;
  std::size_t notes = 0;
  for (const Finding& finding : page.report().findings) {
    if (finding.severity == Severity::kInfo && !wants_all(page)) {
      ++notes;
    } else {
      wanted.push_back(&finding);
    }
  }
  if (wanted.empty() && notes == 0 && page.report().loops.empty()) return;  // nothing that rules look at
  page.blank();
  if (wanted.empty()) return page.line(page.paint(Role::kHeading, "FINDINGS") + "  none" + (notes > 0 ? ", and " + count_notes(notes) : ""));
  page.line(page.paint(Role::kHeading, fmt::format("FINDINGS  {}", wanted.size())));
  const BlockSpace space{.lines = wants_all(page) ? std::numeric_limits<std::size_t>::max() : lines, .always = 1, .briefs = kMaxBriefs};
  const std::size_t shown = put_blocks(page, wanted.size(), space, [&](std::size_t i) { put_finding(page, *wanted[i]); },
                                       [&](std::size_t i) { put_head(page, *wanted[i]); });
  if (shown < wanted.size()) {
    page.line(fmt::format("  ... and {}: --all-findings shows them", format_count(wanted.size() - shown, "more finding")));
  }
  if (notes > 0) page.line("  and " + count_notes(notes));
}

}  // namespace asyncspy
