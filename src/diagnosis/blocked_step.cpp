#include "blocked_step.h"

#include <algorithm>
#include <string_view>

#include "own_code.h"

namespace asyncspy {
namespace {

const Function* function_of(const Report& report, const Frame& frame) {
  return frame.function < report.functions.size() ? &report.functions[frame.function] : nullptr;
}

// Frames below these belong to the step. Lib/asyncio/base_events.py: _run_once calls Handle._run in events.py; uvloop has no
// frames of its own, so there it is whatever the runner calls.
bool is_of_loop(const Function& function) {
  return function.file.ends_with("asyncio/base_events.py") || function.file.ends_with("asyncio/events.py") ||
         function.file.ends_with("asyncio/runners.py") || function.file.ends_with("asyncio/unix_events.py");
}

std::vector<Frame> stack_of_callback(const Report& report, const Thread& thread) {
  std::size_t first = thread.stack.size();
  for (std::size_t i = thread.stack.size(); i-- > 0;) {
    const Function* function = function_of(report, thread.stack[i]);
    if (function == nullptr || !is_of_loop(*function)) continue;
    first = i + 1;
    break;
  }
  return {thread.stack.begin() + static_cast<std::ptrdiff_t>(first), thread.stack.end()};
}

std::optional<std::size_t> find_own(const Report& report, const std::vector<Frame>& stack) {
  for (std::size_t i = stack.size(); i-- > 0;) {
    const Function* function = function_of(report, stack[i]);
    if (function != nullptr && !is_library_file(function->file)) return i;
  }
  // A server that is run as it was installed. What blocks is what a coroutine calls without awaiting it.
  for (std::size_t i = stack.size(); i-- > 0;) {
    if (stack[i].kind == FrameKind::kCoroutine || stack[i].kind == FrameKind::kAsyncGenerator) return i;
  }
  return std::nullopt;
}

// Lib/threading.py and Lib/queue.py wait in locks only; a built-in lock has no frame and is known by its futex.
bool waits_for_lock(const Report& report, const BlockedStep& step) {
  if (!step.thread->system_call || step.thread->system_call->name != "futex") return false;
  if (step.stack.empty() || (step.own && *step.own + 1 == step.stack.size())) return true;
  const Function* innermost = function_of(report, step.stack.back());
  return innermost != nullptr && (innermost->file.ends_with("/threading.py") || innermost->file.ends_with("/queue.py") ||
                                  innermost->file.ends_with("concurrent/futures/_base.py"));
}

std::optional<Hold> find_hold(const Report& report, const Loop& loop, const BlockedStep& step) {
  const Thread& thread = *step.thread;
  const bool is_late = loop.state == LoopState::kBlocked && loop.late.has_value();
  if (thread.waits_for_gil) return is_late ? std::optional(Hold::kInterpreterLock) : std::nullopt;
  const bool is_asleep = thread.system_call && thread.state != 'R' && !thread.on_cpu;
  if (is_asleep) {
    if (!thread.awaited_job.is_null()) return Hold::kResult;
    return waits_for_lock(report, step) ? Hold::kLock : Hold::kSystemCall;
  }
  const bool computes = thread.on_cpu || thread.state == 'R';
  return is_late && computes ? std::optional(Hold::kProcessor) : std::nullopt;
}

// "/usr/lib/python3/dist-packages/requests/api.py" -> "requests.api".
std::string module_of(std::string_view file) {
  constexpr std::string_view kStarts[] = {"/site-packages/", "/dist-packages/", "/lib-dynload/"};
  std::size_t begin = std::string_view::npos;
  for (std::string_view start : kStarts) {
    if (const std::size_t at = file.rfind(start); at != std::string_view::npos) begin = at + start.size();
  }
  if (begin == std::string_view::npos) {
    const std::size_t library = file.rfind("/python3");
    const std::size_t slash = library == std::string_view::npos ? library : file.find('/', library + 1);
    if (slash != std::string_view::npos) begin = slash + 1;
  }
  if (begin == std::string_view::npos) begin = file.rfind('/') == std::string_view::npos ? 0 : file.rfind('/') + 1;
  std::string module(file.substr(begin));
  if (module.ends_with(".py")) module.resize(module.size() - 3);
  if (module.ends_with("/__init__")) module.resize(module.size() - 9);
  std::ranges::replace(module, '/', '.');
  return module;
}

// Modules/timemodule.c, pysleep: clock_nanosleep from 3.11 on, select without descriptors before.
std::string name_built_in(const SystemCallReport& call) {
  if (call.name == "clock_nanosleep" || call.name == "nanosleep") return "time.sleep";
  const bool selects = call.name == "select" || call.name == "pselect6";
  if (selects && !call.descriptor && call.text.find("fd ") == std::string::npos) return "time.sleep";
  return {};
}

}  // namespace

std::string name_call(const Report& report, const BlockedStep& step) {
  const std::size_t below = step.own ? *step.own + 1 : 0;
  if (below < step.stack.size()) {
    const Function* function = function_of(report, step.stack[below]);
    if (function == nullptr) return std::string(name_of_frame(report, step.stack[below]));
    return module_of(function->file) + "." + std::string(name_of_frame(report, step.stack[below]));
  }
  const bool is_call = step.hold == Hold::kSystemCall && step.thread->system_call;
  return is_call ? name_built_in(*step.thread->system_call) : std::string();
}

std::vector<BlockedStep> find_blocked_steps(const Report& report) {
  std::vector<BlockedStep> steps;
  for (std::size_t i = 0; i < report.loops.size(); ++i) {
    const Loop& loop = report.loops[i];
    if (loop.state != LoopState::kBlocked && loop.state != LoopState::kRunning) continue;
    if (loop.thread < 0 || static_cast<std::size_t>(loop.thread) >= report.threads.size()) continue;
    BlockedStep step;
    step.loop = i;
    step.thread = &report.threads[static_cast<std::size_t>(loop.thread)];
    const auto task = std::ranges::find(report.tasks, loop.current_task, &Task::id);
    if (!loop.current_task.is_null() && task != report.tasks.end()) step.task = &*task;
    step.stack = step.task != nullptr && !step.task->stack.empty() ? step.task->stack : stack_of_callback(report, *step.thread);
    step.own = find_own(report, step.stack);
    const auto hold = find_hold(report, loop, step);
    if (!hold) continue;
    step.hold = *hold;
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace asyncspy
