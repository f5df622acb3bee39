// Tasks, one block per group of equals: names, await stack, what they wait for.
#include <fmt/format.h>

#include <algorithm>

#include "text_blocks.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxBriefs = 12;
constexpr std::size_t kLinesForLocals = 400;
constexpr std::size_t kStackIndent = 6;

using Members = std::vector<const Task*>;

// The groups of the report without what is shown elsewhere or not wanted; tasks that are in no group stand alone, at the end.
std::vector<Members> collect_groups(const TextPage& page) {
  const Report& report = page.report();
  const auto is_shown = [&](const Task& task) { return page.is_wanted(task) && !is_shown_with_loop(report, task); };
  std::vector<Members> groups;
  std::vector<bool> seen(report.tasks.size(), false);
  for (const TaskGroup& group : report.groups) {
    Members members;
    for (std::uint32_t index : group.tasks) {
      if (index >= report.tasks.size() || seen[index]) continue;
      seen[index] = true;
      if (is_shown(report.tasks[index])) members.push_back(&report.tasks[index]);
    }
    if (!members.empty()) groups.push_back(std::move(members));
  }
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    if (!seen[i] && is_shown(report.tasks[i])) groups.push_back({&report.tasks[i]});
  }
  return groups;
}

void put_group(TextPage& page, const Members& members) {
  page.line("  " + describe_tasks(page, members));
  put_stack(page, members.front()->stack, kStackIndent);
  if (members.size() > 1 && !page.report().locals.empty() && !members.front()->stack.empty()) {
    page.line(std::string(kStackIndent - 2, ' ') + "= " + page.paint(Role::kDim, "locals are those of " + page.name_of(*members.front())));
  }
  put_remarks(page, members, std::string(kStackIndent - 2, ' '));
}

std::size_t count_tasks(const std::vector<Members>& groups, std::size_t from) {
  std::size_t tasks = 0;
  for (std::size_t i = from; i < groups.size(); ++i) tasks += groups[i].size();
  return tasks;
}

}  // namespace

void put_tasks(TextPage& page, std::size_t lines) {
  const Report& report = page.report();
  if (report.loops.empty() && report.tasks.empty()) return;
  const std::vector<Members> groups = collect_groups(page);
  put_filter(page);
  page.blank();
  if (groups.empty()) {
    page.line(page.paint(Role::kHeading, "TASKS") + (report.tasks.empty() ? "  none" : "  no others"));
    return;
  }
  const std::size_t tasks = count_tasks(groups, 0);
  const std::string_view others = tasks < report.tasks.size() ? "OTHER TASKS" : "TASKS";
  page.line(fmt::format("{}  {} in {}", page.paint(Role::kHeading, others), tasks,
                        format_count(groups.size(), "group")));
  if (!report.locals.empty()) lines += kLinesForLocals;  // they were asked for
  const BlockSpace space{.lines = lines > 1 ? lines - 1 : 0, .always = 0, .briefs = kMaxBriefs, .apart = true};
  const std::size_t shown = put_blocks(page, groups.size(), space, [&](std::size_t i) { put_group(page, groups[i]); },
                                       [&](std::size_t i) { page.line("  " + describe_briefly(page, groups[i])); });
  if (shown < groups.size()) {
    page.line(fmt::format("  ... and {} with {}: --all shows them", format_count(groups.size() - shown, "more group"),
                          format_count(count_tasks(groups, shown), "task")));
  }
}

}  // namespace asyncspy
