#include "loop_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "frames.h"

namespace asyncspy {
namespace {

enum class Doing : std::uint8_t { kSelecting, kExecuting, kUnknown };

bool is_function(const Inspection& inspection, const Frame& frame, std::string_view file, std::string_view name) {
  if (frame.function == kNoFunction) return false;
  const Function& function = inspection.codes.functions()[frame.function];
  return function.name == name && function.file.ends_with(file);
}

// BaseEventLoop._run_once (Lib/asyncio/base_events.py) first waits in its selector, then runs handles. The frame whose
// self is this loop counts: loops can be nested.
Doing find_doing(Inspection& inspection, const LoopObservation& seen, Loop& loop) {
  const std::vector<Frame>& stack = seen.thread.stack;
  for (std::size_t i = stack.size(); i-- > 0;) {
    if (!is_function(inspection, stack[i], "asyncio/base_events.py", "_run_once")) continue;
    auto self = read_local(inspection, seen.frame_addresses[i], 0);
    if (!self || *self != seen.raw.loop.id) continue;
    if (i + 1 == stack.size()) return seen.has_current_task ? Doing::kExecuting : Doing::kUnknown;
    if (is_function(inspection, stack[i + 1], "selectors.py", "select")) return Doing::kSelecting;
    if (is_function(inspection, stack[i + 1], "asyncio/events.py", "_run") && i + 2 < stack.size() && !seen.has_current_task) {
      const Frame& called = stack[i + 2];
      if (called.function != kNoFunction) loop.current_callback = inspection.codes.functions()[called.function].qualified_name;
    }
    return Doing::kExecuting;
  }
  if (seen.has_current_task) return Doing::kExecuting;
  // A loop written in C (uvloop) has no such frame: its thread's system call tells.
  if (seen.thread.system_call && seen.thread.system_call->name.starts_with("epoll_")) return Doing::kSelecting;
  const std::size_t called = find_called_by_c_loop(inspection, seen.thread, seen.frames_below);
  if (called == stack.size()) return Doing::kUnknown;
  if (stack[called].function != kNoFunction) loop.current_callback = inspection.codes.functions()[stack[called].function].qualified_name;
  return Doing::kExecuting;
}

// Whatever was to run at a past moment and has not run proves the delay.
std::optional<Lateness> find_lateness(const RawLoop& raw, std::optional<double> now) {
  std::optional<Lateness> late;
  if (!now) return late;
  auto consider = [&](double deadline, std::string_view where) {
    double seconds = *now - deadline;
    if (seconds <= 0 || (late && late->seconds >= seconds)) return;
    late = Lateness{seconds, fmt::format("{} due at loop time {:.3f}", where, deadline)};
  };
  for (const Timer& timer : raw.loop.timers) {
    if (!timer.cancelled && timer.deadline) consider(*timer.deadline, "a timer");
  }
  if (raw.ready_deadline) consider(*raw.ready_deadline, "a timer in the ready queue");
  return late;
}

// In a process that a signal had stopped, or in a core file, the state says nothing, but the only calls that are shown are
// those that were interrupted while they slept.
bool sleeps_in_call(const Thread& thread) {
  return thread.state != 'R' && thread.system_call && !thread.waits_for_gil;
}

}  // namespace

// What waits has called nothing; without having seen that, the frame of asyncio.run() tells where the loop's own part of the stack begins.
std::size_t find_called_by_c_loop(const Inspection& inspection, const Thread& thread, std::size_t frames_below) {
  const std::vector<Frame>& stack = thread.stack;
  std::size_t called = frames_below;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    if (stack[i].function == kNoFunction) continue;
    const std::string& file = inspection.codes.functions()[stack[i].function].file;
    if (file.ends_with("asyncio/base_events.py")) return stack.size();  // a loop of asyncio's own
    if (frames_below == 0 && file.ends_with("asyncio/runners.py")) called = i + 1;
  }
  return called == 0 ? stack.size() : std::min(called, stack.size());
}

void observe_loop(Inspection& inspection, const LoopObservation& seen, Loop& loop) {
  Doing doing = find_doing(inspection, seen, loop);
  if (doing == Doing::kSelecting && seen.thread.waits_for_gil) doing = Doing::kExecuting;  // select returned; the GIL is taken
  if (doing == Doing::kSelecting) {
    loop.state = LoopState::kIdle;
    return;
  }
  loop.late = find_lateness(seen.raw, seen.now);
  bool late = loop.late && loop.late->seconds >= kLateSeconds;
  if (doing == Doing::kExecuting) {
    loop.state = late || sleeps_in_call(seen.thread) ? LoopState::kBlocked : LoopState::kRunning;
  } else {
    loop.state = late ? LoopState::kBlocked : LoopState::kUnknown;
  }
}

}  // namespace asyncspy
