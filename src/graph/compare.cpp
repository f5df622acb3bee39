#include "compare.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "own_code.h"
#include "wait_kind.h"

namespace asyncspy {
namespace {

constexpr double kSameStart = 2;  // seconds: how exactly the start of a process is known, by its age and the clock

std::optional<double> find_start(const Report& report) {
  if (report.capture.realtime_ns == 0 || report.capture.mode == CaptureMode::kCore) return std::nullopt;
  return static_cast<double>(report.capture.realtime_ns) / 1e9 - report.process.uptime_seconds;
}

bool is_same_process(const Report& before, const Report& after) {
  if (before.process.namespace_pid != after.process.namespace_pid || before.python.hex_version != after.python.hex_version) return false;
  if (before.process.executable != after.process.executable) return false;
  const auto start = find_start(before);
  const auto other = find_start(after);
  return !start || !other || std::abs(*start - *other) < kSameStart;
}

std::optional<double> measure_seconds(const Report& before, const Report& after, bool same_process) {
  const CaptureFacts& from = before.capture;
  const CaptureFacts& to = after.capture;
  if (same_process && from.monotonic_ns != 0 && to.monotonic_ns != 0) return static_cast<double>(to.monotonic_ns - from.monotonic_ns) / 1e9;
  if (from.realtime_ns != 0 && to.realtime_ns != 0) return static_cast<double>(to.realtime_ns - from.realtime_ns) / 1e9;
  return std::nullopt;
}

bool is_counted_name(std::string_view name) {
  constexpr std::string_view kPrefix = "Task-";
  return name.starts_with(kPrefix) && name.size() > kPrefix.size() &&
         std::ranges::all_of(name.substr(kPrefix.size()), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_same_frame(const Report& before, const Frame& a, const Report& after, const Frame& b, bool with_line) {
  if (a.object != b.object || a.kind != b.kind || name_of_frame(before, a) != name_of_frame(after, b)) return false;
  if (with_line) return place_of_frame(before, a) == place_of_frame(after, b);
  const bool known = a.function < before.functions.size() && b.function < after.functions.size();
  return !known || before.functions[a.function].file == after.functions[b.function].file;
}

bool is_same_task(const Report& before, const Task& a, const Report& after, const Task& b) {
  if (a.id != b.id || a.name != b.name || a.type != b.type) return false;
  if (a.stack.empty() || b.stack.empty()) return true;  // done: the coroutine is no longer there
  return is_same_frame(before, a.stack.front(), after, b.stack.front(), false);
}

// What it waits for, as far as it has an identity.
bool is_same_wait(const Task& a, const Task& b) {
  if (a.wait.index() != b.wait.index() || a.awaited != b.awaited) return false;
  if (const auto* timer = std::get_if<OnTimer>(&a.wait)) return timer->deadline == std::get<OnTimer>(b.wait).deadline;
  if (const auto* task = std::get_if<OnTask>(&a.wait)) return task->task == std::get<OnTask>(b.wait).task;
  if (const auto* primitive = std::get_if<OnPrimitive>(&a.wait)) return primitive->object == std::get<OnPrimitive>(b.wait).object;
  if (const auto* descriptor = std::get_if<OnDescriptor>(&a.wait)) return descriptor->descriptor == std::get<OnDescriptor>(b.wait).descriptor;
  if (const auto* job = std::get_if<OnJob>(&a.wait)) return job->job == std::get<OnJob>(b.wait).job;
  if (const auto* process = std::get_if<OnProcess>(&a.wait)) return process->pid == std::get<OnProcess>(b.wait).pid;
  if (const auto* many = std::get_if<OnMany>(&a.wait)) return many->pending == std::get<OnMany>(b.wait).pending;
  return true;
}

bool is_same_place(const Report& before, const Task& a, const Report& after, const Task& b) {
  if (a.state != b.state || a.running != b.running || a.stack.size() != b.stack.size()) return false;
  for (std::size_t i = 0; i < a.stack.size(); ++i) {
    if (!is_same_frame(before, a.stack[i], after, b.stack[i], true)) return false;
  }
  return is_same_wait(a, b);
}

bool is_done(const Task& task) { return task.state == TaskState::kFinished || task.state == TaskState::kCancelled; }

void append(std::string& key, std::string_view part) {
  key += part;
  key += '\0';
}

// Equal for tasks of one group, in whichever report.
std::string make_group_key(const Report& report, const Task& task) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(task.state) * 2 + (task.running ? 1 : 0)));
  append(key, to_word(task.wait));
  if (const auto* primitive = std::get_if<OnPrimitive>(&task.wait)) {
    append(key, primitive->kind);
    append(key, primitive->operation);
  }
  if (const auto* many = std::get_if<OnMany>(&task.wait)) append(key, many->construct);
  for (const Frame& frame : task.stack) {
    append(key, name_of_frame(report, frame));
    append(key, place_of_frame(report, frame));
  }
  return key;
}

template <class T>
std::unordered_map<Address, std::uint32_t> index_by_id(const std::vector<T>& items) {
  std::unordered_map<Address, std::uint32_t> index;
  index.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) index.emplace(items[i].id, static_cast<std::uint32_t>(i));
  return index;
}

class ReportComparison {
 public:
  ReportComparison(const Report& before, const Report& after) : before_(before), after_(after) {}

  Comparison run() {
    found_.same_process = is_same_process(before_, after_);
    found_.seconds = measure_seconds(before_, after_, found_.same_process);
    if (found_.same_process) {
      compare_tasks();
      compare_loops();
      compare_primitives();
    }
    compare_groups();
    return std::move(found_);
  }

 private:
  void compare_tasks() {
    const auto known = index_by_id(before_.tasks);
    std::vector<bool> matched(before_.tasks.size(), false);
    for (std::uint32_t i = 0; i < after_.tasks.size(); ++i) {
      const Task& task = after_.tasks[i];
      const auto old = known.find(task.id);
      TaskChange change{.fate = TaskFate::kNew, .after = i};
      if (old != known.end() && !matched[old->second] && is_same_task(before_, before_.tasks[old->second], after_, task)) {
        matched[old->second] = true;
        change = {fate_of(before_.tasks[old->second], task), old->second, i, is_counted_name(task.name)};
      }
      found_.tasks.push_back(change);
    }
    for (std::uint32_t i = 0; i < matched.size(); ++i) {
      if (!matched[i]) found_.tasks.push_back({.fate = TaskFate::kGone, .before = i});
    }
  }

  [[nodiscard]] TaskFate fate_of(const Task& before, const Task& after) const {
    if (!is_done(before) && is_done(after)) return TaskFate::kDone;
    return is_same_place(before_, before, after_, after) ? TaskFate::kStill : TaskFate::kMoved;
  }

  void compare_loops() {
    const auto known = index_by_id(before_.loops);
    std::vector<bool> matched(before_.loops.size(), false);
    for (std::uint32_t i = 0; i < after_.loops.size(); ++i) {
      const auto old = known.find(after_.loops[i].id);
      LoopChange change{.before = kNowhere, .after = i};
      if (old != known.end() && before_.loops[old->second].type == after_.loops[i].type) {
        matched[old->second] = true;
        change.before = old->second;
        change.same_step = runs_same_step(before_.loops[old->second], after_.loops[i]);
      }
      found_.loops.push_back(change);
    }
    for (std::uint32_t i = 0; i < matched.size(); ++i) {
      if (!matched[i]) found_.loops.push_back({.before = i});
    }
  }

  [[nodiscard]] bool runs_same_step(const Loop& before, const Loop& after) const {
    if (before.current_task.is_null() || before.current_task != after.current_task) return false;
    return std::ranges::any_of(found_.tasks, [&](const TaskChange& change) {
      return change.fate == TaskFate::kStill && after_.tasks[change.after].id == after.current_task;
    });
  }

  void compare_primitives() {
    const auto known = index_by_id(before_.primitives);
    for (std::uint32_t i = 0; i < after_.primitives.size(); ++i) {
      const Primitive& primitive = after_.primitives[i];
      const auto old = known.find(primitive.id);
      if (old == known.end() || before_.primitives[old->second].type != primitive.type) continue;
      const auto size_before = before_.primitives[old->second].number("size");
      const auto size_after = primitive.number("size");
      if (size_before && size_after && *size_before != *size_after) found_.primitives.push_back({old->second, i, *size_before, *size_after});
    }
    std::ranges::stable_sort(found_.primitives, std::greater{}, [](const PrimitiveChange& change) { return change.size_after - change.size_before; });
  }

  void compare_groups() {
    std::unordered_map<std::string, std::size_t> index;
    const auto collect = [&](const Report& report, std::vector<std::uint32_t> GroupChange::*side) {
      for (std::uint32_t i = 0; i < report.tasks.size(); ++i) {
        const auto [known, added] = index.emplace(make_group_key(report, report.tasks[i]), found_.groups.size());
        if (added) found_.groups.emplace_back();
        (found_.groups[known->second].*side).push_back(i);
      }
    };
    collect(after_, &GroupChange::after);
    collect(before_, &GroupChange::before);
    std::ranges::stable_sort(found_.groups, std::greater{}, &GroupChange::growth);
  }

  const Report& before_;
  const Report& after_;
  Comparison found_;
};

}  // namespace

std::size_t Comparison::count(TaskFate fate) const { return static_cast<std::size_t>(std::ranges::count(tasks, fate, &TaskChange::fate)); }

Comparison compare_reports(const Report& before, const Report& after) { return ReportComparison(before, after).run(); }

}  // namespace asyncspy
