// What the tasks of a group, of a row of a tree or a single one have in common, in words: never more than a few lines.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "escape.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kWaitColumns = 72;

using Members = std::vector<const Task*>;

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

bool is_overdue(const Members& members) {
  return std::ranges::any_of(members, [](const Task* task) {
    const auto* timer = std::get_if<OnTimer>(&task->wait);
    return timer != nullptr && timer->is_overdue();
  });
}

// The timeouts of those that have one: "timeout in 4.5 s (asyncio.timeout)", "12 of 40 have a timeout, the first in 4.5 s".
std::string describe_timeout(const TextPage& page, const std::vector<const Task*>& members) {
  const Deadline* nearest = nullptr;
  std::size_t count = 0;
  for (const Task* task : members) {
    if (!task->deadline) continue;
    ++count;
    if (nearest == nullptr || task->deadline->when < nearest->when) nearest = &*task->deadline;
  }
  if (nearest == nullptr) return "";
  std::string when = fmt::format("at loop time {:.3f}", nearest->when);
  if (nearest->remaining) {
    when = *nearest->remaining < 0 ? "overdue by " + format_duration(-*nearest->remaining) : "in " + format_duration(*nearest->remaining);
  }
  const std::string construct = page.safe(nearest->construct, TextPage::kNameColumns);
  if (members.size() == 1) return fmt::format("timeout {} ({})", when, construct);
  return fmt::format("{} of {} have a timeout, the first {} ({})", count, members.size(), when, construct);
}

// Of several samples: "at this place for at least 4.0 s, in every sample".
std::string describe_waiting_time(const Report& report, const Members& members) {
  if (report.capture.samples < 2) return "";
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const Task* task : members) {
    if (!task->waiting_at_least) return "";  // done
    least = std::min(least, *task->waiting_at_least);
    most = std::max(most, *task->waiting_at_least);
  }
  if (most == 0) return "moving: elsewhere in the sample before";
  const std::string to = format_duration(most);
  const std::string from = format_duration(least);
  return fmt::format("seen here in every sample of the last {}", from == to ? to : from + " to " + to);
}

}  // namespace

std::string describe_tasks(const TextPage& page, const std::vector<const Task*>& members) {
  std::vector<std::string> names;
  names.reserve(members.size());
  for (const Task* task : members) names.push_back(page.name_of(*task));
  const Task& first = *members.front();
  std::string text;
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
  const std::string context = describe_context(page, members);
  if (!context.empty()) text += "  " + context;
  return text;
}

std::string describe_place(const TextPage& page, const std::vector<const Task*>& members) {
  const Task& first = *members.front();
  std::string text = place_task(page, first);
  const std::string state = describe_state(first);
  for (const std::string& part : {state.empty() ? "" : "(" + state + ")", shorten(describe_wait(page, members), kWaitColumns)}) {
    if (part.empty()) continue;
    if (!text.empty()) text += "  ";
    text += part.starts_with("(") ? part : "= " + part;
  }
  return text.empty() ? "(no stack)" : text;
}

std::string describe_briefly(const TextPage& page, const std::vector<const Task*>& members) {
  const std::string head = members.size() > 1 ? page.paint(Role::kHeading, format_count(members.size(), "task"))
                                              : page.paint(Role::kName, page.name_of(*members.front()));
  return head + "  " + describe_place(page, members);
}

void put_remarks(TextPage& page, const std::vector<const Task*>& members, const std::string& indent) {
  const std::string arrow = indent + "= ";
  const std::string wait = describe_wait(page, members);
  if (!wait.empty()) page.line(arrow + page.paint(is_overdue(members) ? Role::kWarning : Role::kHeading, wait));
  put_further_remarks(page, members, indent);
}

void put_further_remarks(TextPage& page, const std::vector<const Task*>& members, const std::string& indent) {
  const std::string arrow = indent + "= ";
  const std::string waiting = describe_waiting_time(page.report(), members);
  if (!waiting.empty()) page.line(arrow + waiting);
  const std::string cancellation = describe_cancellation(members);
  if (!cancellation.empty()) page.line(arrow + page.paint(Role::kWarning, cancellation));
  const std::string timeout = describe_timeout(page, members);
  if (!timeout.empty()) page.line(arrow + timeout);
  put_fact_remarks(page, members, indent);
  std::size_t gaps = 0;
  for (const Task* task : members) gaps += task->gaps.size();
  if (gaps > 0) {
    page.line(arrow + page.paint(Role::kWarning, format_count(gaps, "value") + " could not be read, see below"));
  }
}

}  // namespace asyncspy
