// Event loops: is it blocked, for how long, by what, and what queues up behind it.
#include <fmt/format.h>

#include <algorithm>

#include "text_blocks.h"
#include "text_sections.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxBriefs = 12;

// "48 timers, 2 overdue (earliest by 27.3 s), next in 3.2 s"
std::string describe_timers(const Loop& loop, std::optional<double> now) {
  std::size_t live = 0;
  std::size_t overdue = 0;
  double earliest = 0;  // most negative
  double next = 0;
  for (const Timer& timer : loop.timers) {
    if (timer.cancelled) continue;
    ++live;
    if (!timer.deadline || !now) continue;
    const double remaining = *timer.deadline - *now;
    if (remaining < 0) {
      ++overdue;
      earliest = std::min(earliest, remaining);
    } else if (live - overdue == 1 || remaining < next) {
      next = remaining;
    }
  }
  if (live == 0) return loop.timers.empty() ? "no timers" : format_count(loop.timers.size(), "cancelled timer");
  std::string text = format_count(live, "timer");
  if (overdue > 0) text += fmt::format(", {} overdue (earliest by {})", overdue, format_duration(-earliest));
  if (overdue < live && now) text += ", next fires in " + format_duration(next);
  if (live < loop.timers.size()) text += fmt::format(", {} cancelled", loop.timers.size() - live);
  return text;
}

std::string describe_queue(const Loop& loop, std::optional<double> now) {
  const std::string ready = loop.ready ? format_count(*loop.ready, "ready callback") : "ready queue unreadable";
  std::string text = fmt::format("{}; {}", ready, describe_timers(loop, now));
  // What an idle loop could be woken by; to a busy one it does not matter now.
  if (loop.state == LoopState::kIdle) {
    text += fmt::format("; watches {}", format_count(loop.descriptors.size(), "descriptor"));
  }
  return text;
}

void put_running_stack(TextPage& page, const Loop& loop, const Thread* thread) {
  constexpr std::size_t kIndent = 6;
  const Task* task = loop.current_task.is_null() ? nullptr : page.find_task(loop.current_task);
  if (!loop.current_task.is_null()) {
    std::string text = page.paint(Role::kName, page.name_of_task(loop.current_task));
    if (task != nullptr && task->must_cancel.value_or(false)) text += ", will be cancelled at its next step";
    if (task != nullptr && task->cancel_requests.value_or(0) > 0) {
      text += fmt::format(", cancellation requested {}", format_count(
          static_cast<std::uint64_t>(*task->cancel_requests), "time"));
    }
    page.labelled("runs task", text);
  } else if (!loop.current_callback.empty()) {
    page.labelled("runs", page.paint(Role::kName, page.safe(loop.current_callback)));
  }
  if (task != nullptr && !task->stack.empty()) {
    if (thread != nullptr) return put_thread_stack(page, *thread, task->stack, kIndent);
    put_stack(page, task->stack, kIndent);
  } else if (thread != nullptr) {
    put_thread_stack(page, *thread, thread->stack, kIndent);
  }
}

void put_head(TextPage& page, const Loop& loop, std::size_t index) {
  const Headline headline = describe_loop_state(loop.state);
  const Thread* thread = page.find_thread(loop.thread);
  std::string head = fmt::format("{}  {}  {}", page.paint(Role::kHeading, page.title_of_loop(index)),
                                 page.paint(headline.role, headline.words), page.safe(loop.type));
  if (thread != nullptr) head += ", " + page.name_of(*thread);
  if (loop.debug.value_or(false)) head += ", debug mode";
  page.line(head);
}

void put_loop(TextPage& page, const Loop& loop, std::size_t index) {
  const Thread* thread = page.find_thread(loop.thread);
  put_head(page, loop, index);
  if (loop.late) {
    std::string late = page.paint(Role::kBlocked, "at least " + format_duration(loop.late->seconds));
    if (!loop.late->evidence.empty()) late += fmt::format(" ({})", page.safe(loop.late->evidence));
    page.labelled("late", late);
  }
  const bool busy = loop.state == LoopState::kBlocked || loop.state == LoopState::kRunning;
  if (busy && thread != nullptr) {
    page.labelled("thread", describe_activity(page, *thread));
    const std::string gil = describe_gil(page, *thread);
    const bool knows_time = thread->cpu_seconds > 0 || page.report().capture.mode != CaptureMode::kCore;
    const std::string used = knows_time ? fmt::format("used {} of CPU time", format_duration(thread->cpu_seconds)) : "";
    const std::string both = gil + (gil.empty() || used.empty() ? "" : ", ") + used;
    if (!both.empty()) page.labelled("", both);
  }
  page.labelled(busy ? "behind it" : "queue", describe_queue(loop, page.report().capture.loop_time()));
  if (busy || !loop.current_task.is_null()) put_running_stack(page, loop, thread);
  if (!loop.gaps.empty()) {
    page.labelled("", page.paint(Role::kWarning, format_count(loop.gaps.size(), "value") + " could not be read"));
  }
}

}  // namespace

Headline describe_loop_state(LoopState state) {
  switch (state) {
    case LoopState::kBlocked: return {"BLOCKED", Role::kBlocked};
    case LoopState::kRunning: return {"running", Role::kWarning};
    case LoopState::kIdle: return {"idle in its selector", Role::kGood};
    case LoopState::kNotRunning: return {"not running", Role::kDim};
    case LoopState::kUnknown: break;
  }
  return {"in an unknown state", Role::kWarning};
}

std::string describe_activity(const TextPage& page, const Thread& thread) {
  if (thread.system_call) {
    const bool says_nothing = thread.on_cpu || thread.state == '?';
    std::string text = says_nothing ? "in " : fmt::format("{} in ", describe_state(thread.state));
    text += page.paint(Role::kHeading, page.safe(describe_system_call(*thread.system_call)));
    if (thread.system_call->remaining_seconds) {
      const std::string left = format_duration(*thread.system_call->remaining_seconds);
      if (thread.system_call->text.find(left) == std::string::npos) text += fmt::format(", {} left", left);
    }
    return text;
  }
  return thread.on_cpu ? "on the CPU" : std::string(describe_state(thread.state));
}

std::string describe_gil(const TextPage& page, const Thread& thread) {
  if (thread.holds_gil) return "holds the GIL";
  if (!thread.waits_for_gil) return "";
  const auto& threads = page.report().threads;
  const auto holder = std::ranges::find_if(threads, [&](const Thread& other) {
    return other.holds_gil && other.interpreter == thread.interpreter;
  });
  if (holder == threads.end()) return "waits for the GIL";
  return fmt::format("waits for the GIL, held by {}", page.name_of(*holder));
}

bool is_shown_with_loop(const Report& report, const Task& task) {
  if (!task.running || task.loop < 0 || static_cast<std::size_t>(task.loop) >= report.loops.size()) return false;
  return report.loops[static_cast<std::size_t>(task.loop)].current_task == task.id;
}

void put_loops(TextPage& page, std::size_t lines) {
  const std::vector<Loop>& loops = page.report().loops;
  if (loops.empty()) return;
  // Blocked loops are what the page is opened for: they come first, all in their own order.
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    if (loops[i].state == LoopState::kBlocked) order.push_back(i);
  }
  for (std::size_t i = 0; i < loops.size(); ++i) {
    if (loops[i].state != LoopState::kBlocked) order.push_back(i);
  }
  page.blank();
  const BlockSpace space{.lines = lines, .always = 1, .briefs = kMaxBriefs, .apart = true};
  const std::size_t shown = put_blocks(page, loops.size(), space, [&](std::size_t i) { put_loop(page, loops[order[i]], order[i]); },
                                       [&](std::size_t i) { put_head(page, loops[order[i]], order[i]); });
  if (shown < loops.size()) {
    page.line(fmt::format("... and {}: --all shows them", format_count(loops.size() - shown, "more loop")));
  }
}

}  // namespace asyncspy
