// What a group of tasks waits for, in one sentence. The tasks of a group wait for the same kind of thing, not
// necessarily for the same thing: the sentence says which.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

template <class T>
std::vector<const T*> select(const std::vector<const Task*>& tasks) {
  std::vector<const T*> waits;
  for (const Task* task : tasks) {
    if (const T* wait = std::get_if<T>(&task->wait)) waits.push_back(wait);
  }
  return waits;
}

std::string describe_timers(const std::vector<const OnTimer*>& timers) {
  std::size_t overdue = 0;
  const bool never = std::ranges::all_of(timers, [](const OnTimer* timer) { return timer->deadline == std::numeric_limits<double>::infinity(); });
  if (never) return timers.size() == 1 ? "timer that never fires: its deadline is infinite" : "timers that never fire: their deadlines are infinite";
  if (!timers.front()->remaining) {
    return timers.size() == 1 ? fmt::format("timer, fires at loop time {:.3f}", timers.front()->deadline) : "timers";
  }
  double earliest = *timers.front()->remaining;
  double latest = earliest;
  for (const OnTimer* timer : timers) {
    earliest = std::min(earliest, timer->remaining.value_or(earliest));
    latest = std::max(latest, timer->remaining.value_or(latest));
    if (timer->is_overdue()) ++overdue;
  }
  if (timers.size() == 1) {
    if (earliest < 0) return "timer, overdue by " + format_duration(-earliest);
    return "timer, fires in " + format_duration(earliest);
  }
  const auto range = [](double from, double to) {
    const std::string low = format_duration(from);
    const std::string high = format_duration(to);
    return low == high ? low : low + " to " + high;
  };
  if (overdue == 0) return "timers, fire in " + range(earliest, latest);
  if (overdue == timers.size()) return "timers, overdue by " + range(-latest, -earliest);
  return fmt::format("timers, {} overdue by up to {}, {} fire in up to {}", overdue, format_duration(-earliest),
                     timers.size() - overdue, format_duration(latest));
}

std::string describe_awaited_tasks(const TextPage& page, const std::vector<const OnTask*>& waits) {
  std::set<Address> distinct;
  for (const OnTask* wait : waits) distinct.insert(wait->task);
  if (distinct.size() > 1) {
    return fmt::format("{}: {}", format_count(distinct.size(), "task"),
                       page.list_tasks({distinct.begin(), distinct.end()}));
  }
  const Task* task = page.find_task(*distinct.begin());
  if (task == nullptr) return page.name_of_task(*distinct.begin()) + " (not among the tasks that were found)";
  const std::string& construct = waits.front()->construct;
  const std::string through = construct == "await" ? "" : ", through " + page.safe(construct);
  return fmt::format("task {} ({}){}", page.name_of(*task), task->running ? "running" : to_word(task->state), through);
}

std::string describe_futures(const TextPage& page, const std::vector<const OnFuture*>& waits) {
  std::set<Address> distinct;
  std::vector<int> descriptors;
  for (const OnFuture* wait : waits) {
    distinct.insert(wait->future);
    if (wait->descriptor >= 0) descriptors.push_back(wait->descriptor);
  }
  const OnFuture& first = *waits.front();
  const std::string type = first.type.empty() ? "future" : page.safe(first.type);
  const std::string state = first.state.empty() ? "state unknown" : page.safe(first.state);
  if (distinct.size() > 1) {
    const std::string peers = describe_peers(page, descriptors);
    return fmt::format("{} different futures ({}, {}){}", distinct.size(), type, state, peers.empty() ? "" : ", most probably sockets: " + peers);
  }
  std::string text = fmt::format("future {} ({}, {})", format_address(first.future), type, state);
  if (first.inferred.empty()) return text + ": nothing more is known of it";
  return text + fmt::format(", most probably {} ({})", describe_descriptor_of(page, first.descriptor), page.safe(first.inferred));
}

std::string describe_primitives(const TextPage& page, const std::vector<const OnPrimitive*>& waits) {
  std::set<Address> distinct;
  std::vector<int> descriptors;
  for (const OnPrimitive* wait : waits) {
    if (!distinct.insert(wait->object).second) continue;
    const Primitive* primitive = page.find_primitive(wait->object);
    if (primitive != nullptr && primitive->descriptor >= 0) descriptors.push_back(primitive->descriptor);
  }
  const OnPrimitive& first = *waits.front();
  std::string text = page.safe(first.kind);
  if (!first.operation.empty()) text += fmt::format(".{}()", page.safe(first.operation));
  if (distinct.size() > 1) {
    const std::string peers = describe_peers(page, descriptors);
    return fmt::format("{} on {} different objects{}", text, distinct.size(), peers.empty() ? "" : ", sockets: " + peers);
  }
  const Primitive* primitive = page.find_primitive(first.object);
  const std::string known = primitive == nullptr ? "" : describe_primitive(page, *primitive);
  if (primitive == nullptr || primitive->descriptor < 0) {
    if (!first.object.is_null()) text += " on " + format_address(first.object);
    if (!first.type.empty() && first.type != first.kind) text += fmt::format(" ({})", page.safe(first.type));
  }
  return known.empty() ? text : text + ": " + known;
}

std::string describe_descriptors(const TextPage& page, const std::vector<const OnDescriptor*>& waits) {
  std::set<int> distinct;
  for (const OnDescriptor* wait : waits) distinct.insert(wait->descriptor);
  const std::string operation = waits.front()->operation.empty() ? "" : page.safe(waits.front()->operation) + " on ";
  if (distinct.size() == 1) return operation + describe_descriptor_of(page, *distinct.begin());
  const std::string peers = describe_peers(page, {distinct.begin(), distinct.end()});
  if (!peers.empty()) return fmt::format("{}{} sockets: {}", operation, distinct.size(), peers);
  std::vector<std::string> names;
  for (int number : distinct) names.push_back(fmt::format("fd {}", number));
  return operation + "descriptors " + page.list_names(names);
}

std::string describe_jobs(const TextPage& page, const std::vector<const OnJob*>& waits) {
  if (waits.size() == 1) {
    const Job* job = page.find_job(waits.front()->job);
    return job == nullptr ? "job " + format_address(waits.front()->job) : describe_job(page, *job);
  }
  std::size_t running = 0;
  std::size_t queued = 0;
  for (const OnJob* wait : waits) {
    const Job* job = page.find_job(wait->job);
    if (job != nullptr && job->state == JobState::kRunning) ++running;
    if (job != nullptr && job->state == JobState::kQueued) ++queued;
  }
  return fmt::format("{} of thread pools, {} running, {} queued", format_count(waits.size(), "job"), running, queued);
}

std::string describe_processes(const TextPage& page, const std::vector<const OnProcess*>& waits) {
  if (waits.size() > 1) return format_count(waits.size(), "child process", "child processes");
  const auto& status = waits.front()->exit_status;
  if (status) return fmt::format("what child process {} leaves behind: it has ended with {}, and a pipe to it is still open", waits.front()->pid, *status);
  return describe_child_of(page, waits.front()->pid);
}

std::string describe_many(const TextPage& page, const std::vector<const OnMany*>& waits) {
  const OnMany& first = *waits.front();
  const bool is_call = !first.construct.empty() && first.construct.front() >= 'a' && first.construct.front() <= 'z';  // TaskGroup is none
  const std::string construct = page.safe(first.construct) + (is_call ? "()" : "");
  if (waits.size() > 1) {
    std::uint64_t pending = 0;
    std::uint64_t total = 0;
    for (const OnMany* wait : waits) {
      pending += wait->pending;
      total += wait->total;
    }
    return fmt::format("{}, {} of {} pending in all", construct, pending, total);
  }
  std::string text = fmt::format("{}, {} of {} pending", construct, first.pending, first.total);
  if (!first.jobs.empty()) text += fmt::format(", {} in other threads", format_count(first.jobs.size(), "call"));
  if (first.failed > 0) text += fmt::format(", {} failed ({})", first.failed, page.safe(first.failure));
  if (!first.tasks.empty()) text += ": " + page.list_tasks(first.tasks);
  return text;
}

// Different words of the group, the first few of them.
template <class T>
std::string join_reasons(const TextPage& page, const std::vector<const T*>& waits, std::string T::*reason) {
  constexpr std::size_t kMaxReasons = 3;
  std::vector<std::string> distinct;
  for (const T* wait : waits) {
    if (std::ranges::find(distinct, wait->*reason) == distinct.end()) distinct.push_back(wait->*reason);
    if (distinct.size() > kMaxReasons) break;
  }
  std::string text;
  for (std::size_t i = 0; i < distinct.size() && i < kMaxReasons; ++i) {
    if (!text.empty()) text += "; ";
    text += page.safe(distinct[i]);
  }
  return distinct.size() > kMaxReasons ? text + "; ..." : text;
}

std::string describe_unknown(const TextPage& page, const std::vector<const Unknown*>& waits) {
  const std::string reasons = join_reasons(page, waits, &Unknown::why);
  return reasons.empty() ? "waits for something unknown" : "waits for something unknown: " + reasons;
}

std::string describe_ready(const TextPage& page, const std::vector<const Ready*>& waits) {
  const std::string reasons = join_reasons(page, waits, &Ready::reason);
  return reasons.empty() ? "can run" : "can run: " + reasons;
}

}  // namespace

std::string describe_wait(const TextPage& page, const std::vector<const Task*>& tasks) {
  if (tasks.empty()) return "";
  // Only those that wait for the same kind of thing as the first; the report puts no others into a group.
  const Wait& kind = tasks.front()->wait;
  if (std::holds_alternative<Done>(kind)) return "";
  if (std::holds_alternative<Running>(kind)) return "running now";
  if (std::holds_alternative<Ready>(kind)) return describe_ready(page, select<Ready>(tasks));
  if (std::holds_alternative<Unknown>(kind)) return describe_unknown(page, select<Unknown>(tasks));
  const std::string_view verb = tasks.size() == 1 ? "waits for " : "wait for ";
  std::string what;
  if (std::holds_alternative<OnTimer>(kind)) what = describe_timers(select<OnTimer>(tasks));
  if (std::holds_alternative<OnTask>(kind)) what = describe_awaited_tasks(page, select<OnTask>(tasks));
  if (std::holds_alternative<OnFuture>(kind)) what = describe_futures(page, select<OnFuture>(tasks));
  if (std::holds_alternative<OnPrimitive>(kind)) what = describe_primitives(page, select<OnPrimitive>(tasks));
  if (std::holds_alternative<OnDescriptor>(kind)) what = describe_descriptors(page, select<OnDescriptor>(tasks));
  if (std::holds_alternative<OnJob>(kind)) what = describe_jobs(page, select<OnJob>(tasks));
  if (std::holds_alternative<OnProcess>(kind)) what = describe_processes(page, select<OnProcess>(tasks));
  if (std::holds_alternative<OnMany>(kind)) what = describe_many(page, select<OnMany>(tasks));
  return std::string(verb) + what;
}

}  // namespace asyncspy
