// Tasks, one block per group of equals: names, await stack, what they wait for.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "escape.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxGroups = 20;
constexpr std::size_t kStackIndent = 6;

using Members = std::vector<const Task*>;

// The groups of the report without what is shown elsewhere; tasks that are in no group stand alone, at the end.
std::vector<Members> collect_groups(const Report& report) {
  std::vector<Members> groups;
  std::vector<bool> seen(report.tasks.size(), false);
  for (const TaskGroup& group : report.groups) {
    Members members;
    for (std::uint32_t index : group.tasks) {
      if (index >= report.tasks.size() || seen[index]) continue;
      seen[index] = true;
      if (!is_shown_with_loop(report, report.tasks[index])) members.push_back(&report.tasks[index]);
    }
    if (!members.empty()) groups.push_back(std::move(members));
  }
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    if (!seen[i] && !is_shown_with_loop(report, report.tasks[i])) groups.push_back({&report.tasks[i]});
  }
  return groups;
}

std::string describe_state(const Task& task) {
  if (task.running) return "running";
  return task.state == TaskState::kPending ? "" : std::string(to_word(task.state));
}

// " on loop 2", where a process has several.
std::string describe_loops(const Report& report, const Members& members) {
  if (report.loops.size() < 2) return "";
  std::set<std::int32_t> loops;
  for (const Task* task : members) loops.insert(task->loop);
  if (loops.size() > 1) return fmt::format("on {} loops", loops.size());
  if (*loops.begin() < 0) return "on an unknown loop";
  return fmt::format("on loop {}", *loops.begin() + 1);
}

std::string describe_cancellation(const Members& members) {
  const auto due = std::ranges::count_if(members, [](const Task* task) { return task->must_cancel.value_or(false); });
  const auto requested =
      std::ranges::count_if(members, [](const Task* task) { return task->cancel_requests.value_or(0) > 0; });
  const auto subject = [&](std::ptrdiff_t count) {
    return members.size() == 1 ? std::string() : fmt::format(" for {} of {}", count, members.size());
  };
  std::string text;
  if (requested > 0) text = "cancellation was requested" + subject(requested);
  if (due > 0) {
    if (!text.empty()) text += ", ";
    text += "cancellation is due at the next step" + subject(due);
  }
  return text;
}

void put_head(TextPage& page, const Members& members) {
  std::vector<std::string> names;
  names.reserve(members.size());
  for (const Task* task : members) names.push_back(page.name_of(*task));
  const Task& first = *members.front();
  std::string text = "  ";
  if (members.size() > 1) text += page.paint(Role::kHeading, format_count(members.size(), "task")) + "  ";
  text += page.paint(Role::kName, page.list_names(names));
  std::vector<std::string> remarks;
  remarks.push_back(describe_state(first));
  remarks.push_back(describe_loops(page.report(), members));
  const bool usual = first.type.empty() || first.type == "_asyncio.Task" || first.type == "Task";
  if (!usual) remarks.push_back(page.safe(first.type, TextPage::kNameColumns));
  std::string joined;
  for (const std::string& remark : remarks) {
    if (remark.empty()) continue;
    if (!joined.empty()) joined += ", ";
    joined += remark;
  }
  if (!joined.empty()) text += page.paint(Role::kDim, fmt::format("  ({})", joined));
  page.line(text);
}

bool is_overdue(const Members& members) {
  return std::ranges::any_of(members, [](const Task* task) {
    const auto* timer = std::get_if<OnTimer>(&task->wait);
    return timer != nullptr && timer->is_overdue();
  });
}

void put_group(TextPage& page, const Members& members) {
  put_head(page, members);
  put_stack(page, members.front()->stack, kStackIndent);
  const std::string arrow = std::string(kStackIndent - 2, ' ') + "= ";
  const std::string wait = describe_wait(page, members);
  if (!wait.empty()) {
    page.line(arrow + page.paint(is_overdue(members) ? Role::kWarning : Role::kHeading, wait));
  }
  const std::string cancellation = describe_cancellation(members);
  if (!cancellation.empty()) page.line(arrow + page.paint(Role::kWarning, cancellation));
  std::size_t gaps = 0;
  for (const Task* task : members) gaps += task->gaps.size();
  if (gaps > 0) {
    page.line(arrow + page.paint(Role::kWarning, format_count(gaps, "value") + " could not be read, see below"));
  }
}

std::size_t count_tasks(const std::vector<Members>& groups, std::size_t from) {
  std::size_t tasks = 0;
  for (std::size_t i = from; i < groups.size(); ++i) tasks += groups[i].size();
  return tasks;
}

}  // namespace

void put_tasks(TextPage& page) {
  const Report& report = page.report();
  if (report.loops.empty() && report.tasks.empty()) return;
  const std::vector<Members> groups = collect_groups(report);
  page.blank();
  if (groups.empty()) {
    page.line(page.paint(Role::kHeading, "TASKS") + (report.tasks.empty() ? "  none" : "  no others"));
    return;
  }
  const std::size_t tasks = count_tasks(groups, 0);
  const std::string_view others = tasks < report.tasks.size() ? "OTHER TASKS" : "TASKS";
  page.line(fmt::format("{}  {} in {}", page.paint(Role::kHeading, others), tasks,
                        format_count(groups.size(), "group")));
  const std::size_t shown = page.cut(groups.size(), kMaxGroups);
  for (std::size_t i = 0; i < shown && page.usable(); ++i) {
    if (i > 0) page.blank();
    put_group(page, groups[i]);
  }
  if (shown < groups.size()) {
    page.blank();
    page.line(fmt::format("  ... and {} with {}: --all shows them", format_count(groups.size() - shown, "more group"),
                          format_count(count_tasks(groups, shown), "task")));
  }
}

}  // namespace asyncspy
