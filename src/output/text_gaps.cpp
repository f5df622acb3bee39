// What could not be read, and what else limits the trust in the page. Never silent, never more than a few lines.
#include <fmt/format.h>

#include "escape.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxGaps = 10;
constexpr std::size_t kMaxWarnings = 10;

std::size_t count_gaps(const Report& report) {
  std::size_t count = report.gaps.size();
  for (const Task& task : report.tasks) count += task.gaps.size();
  for (const Loop& loop : report.loops) count += loop.gaps.size();
  for (const Thread& thread : report.threads) count += thread.gaps.size();
  return count;
}

// Prints gaps until `limit` of them are out.
class GapList {
 public:
  GapList(TextPage& page, std::size_t limit) : page_(page), limit_(limit) {}

  [[nodiscard]] bool is_full() const { return printed_ >= limit_ || !page_.usable(); }

  void add(const std::vector<Gap>& gaps, const std::string& owner) {
    for (const Gap& gap : gaps) {
      if (is_full()) return;
      std::string text = fmt::format("  {}: {}", page_.safe(gap.reading), page_.safe(gap.reason));
      if (!gap.at.is_null()) text += " at " + format_address(gap.at);
      if (!owner.empty()) text += fmt::format(" ({})", owner);
      page_.line(text);
      ++printed_;
    }
  }

 private:
  TextPage& page_;
  std::size_t limit_;
  std::size_t printed_ = 0;
};

void put_gap_list(TextPage& page) {
  const Report& report = page.report();
  const std::size_t count = count_gaps(report);
  if (count == 0) return;
  page.blank();
  page.line(fmt::format("{}  {}", page.paint(Role::kWarning, "NOT READ"), format_count(count, "value")));
  const std::size_t limit = page.cut(count, kMaxGaps);
  GapList list(page, limit);
  list.add(report.gaps, "");
  for (std::size_t i = 0; i < report.loops.size() && !list.is_full(); ++i) {
    list.add(report.loops[i].gaps, fmt::format("loop {}", i + 1));
  }
  for (const Thread& thread : report.threads) {
    if (list.is_full()) break;
    if (!thread.gaps.empty()) list.add(thread.gaps, page.name_of(thread));
  }
  for (const Task& task : report.tasks) {
    if (list.is_full()) break;
    if (!task.gaps.empty()) list.add(task.gaps, page.name_of(task));
  }
  if (limit < count) page.line(fmt::format("  ... and {} more: --all shows them", count - limit));
}

void put_warnings(TextPage& page) {
  const std::vector<std::string>& warnings = page.report().warnings;
  if (warnings.empty()) return;
  page.blank();
  page.line(fmt::format("{}  {}", page.paint(Role::kWarning, "WARNINGS"), warnings.size()));
  const std::size_t shown = page.cut(warnings.size(), kMaxWarnings);
  for (std::size_t i = 0; i < shown; ++i) page.line("  " + escape_for_terminal(warnings[i]));
  if (shown < warnings.size()) page.line(fmt::format("  ... and {} more: --all shows them", warnings.size() - shown));
}

}  // namespace

void put_gaps(TextPage& page) {
  put_gap_list(page);
  put_warnings(page);
}

}  // namespace asyncspy
