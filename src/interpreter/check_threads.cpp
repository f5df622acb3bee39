// Checks of thread states, frames and the GIL against each other.
#include <fmt/format.h>

#include "frames.h"
#include "self_checks.h"
#include "threads.h"

namespace asyncspy {
namespace {

constexpr int kMaxChecked = 64;  // threads
constexpr int kMaxCFrames = 1000;

void add(std::vector<SelfCheck>& checks, std::string subject, bool good, std::string detail) {
  checks.push_back({std::move(subject), good ? CheckResult::kPassed : CheckResult::kFailed, good ? std::string{} : std::move(detail)});
}

void check_stacks(Inspection& inspection, const std::vector<ThreadState>& states, std::vector<SelfCheck>& checks) {
  int walked = 0;
  int good = 0;
  std::string reason;
  for (const ThreadState& state : states) {
    if (state.frame.is_null() || walked >= kMaxChecked) continue;
    ++walked;
    StackWalk walk = walk_stack(inspection, state.frame);
    // Where calls from C leave a frame of their own, every stack rests on one.
    bool lacks_entry = inspection.layout().first_shim_owner < 127 && walk.shims == 0;
    if (walk.gaps.empty() && !lacks_entry) ++good;
    if (!walk.gaps.empty()) reason = walk.gaps.front().reason; else if (lacks_entry) reason = "no entry frame";
  }
  // One thread can be caught while it sets up a frame; a wrong layout breaks all.
  add(checks, "thread stacks", walked == 0 || good > 0, fmt::format("none of {} can be walked: {}", walked, reason));
}

// The chain of cframes ends with the one in the thread state itself (Include/cpython/pystate.h: root_cframe).
bool ends_in_its_thread(const ObjectReader& reader, const ThreadState& state) {
  Address last = state.cframe;
  for (int i = 0; i < kMaxCFrames; ++i) {
    auto previous = reader.read(last, reader.layout.cframe.previous);
    if (!previous) return reader.memory.is_partial();  // a recording need not hold what lies on the stacks
    if (previous->is_null()) return last > state.address && last < state.address + kPageSize;
    last = *previous;
  }
  return true;  // deep, and no nonsense so far
}

void check_cframes(const ObjectReader& reader, const std::vector<ThreadState>& states, std::vector<SelfCheck>& checks) {
  int walked = 0;
  int good = 0;
  for (const ThreadState& state : states) {
    if (state.cframe.is_null() || walked >= kMaxChecked) continue;
    ++walked;
    if (ends_in_its_thread(reader, state)) ++good;
  }
  add(checks, "cframe.previous", walked == 0 || good > 0, "no thread's chain ends in its thread state");
}

void check_gil(const ObjectReader& reader, const Interpreter& interpreter, const std::vector<ThreadState>& states,
               std::vector<SelfCheck>& checks) {
  const PythonLayout& layout = reader.layout;
  Int32 locked_field = layout.interpreter.gil.present() ? layout.gil.locked : layout.runtime.gil_locked;
  Pointer holder_field = layout.interpreter.gil.present() ? layout.gil.last_holder : layout.runtime.gil_last_holder;
  Address base = interpreter.gil - static_cast<std::uint64_t>(holder_field.offset);
  auto locked = reader.read(base, locked_field);
  bool holder_known = false;
  for (const ThreadState& state : states) holder_known = holder_known || state.address == interpreter.gil_holder;
  add(checks, "GIL", locked && *locked >= -1 && *locked <= 1, "its lock has a value that it can not have");
  // It may have been held last by a thread of another interpreter, or by one that ended; but never by none.
  bool is_pointer = interpreter.gil_holder.value() > (1U << 16) && interpreter.gil_holder.value() % 8 == 0;
  add(checks, "holder of the GIL", holder_known || (is_pointer && !interpreter.gil_locked), "it is no thread of the interpreter");
}

void check_thread_members(Inspection& inspection, const ThreadState& state, std::vector<SelfCheck>& checks) {
  auto type_name = [&](Address object) {
    auto type = inspection.types.of(inspection.reader, object);
    return type ? (*type)->name : std::string("unreadable");
  };
  if (!state.dict.is_null()) add(checks, "thread.dict", type_name(state.dict) == "dict", "it is no dictionary");
  auto context = inspection.reader.read(state.address, inspection.layout().thread.context);
  if (context && !context->is_null()) {
    std::string name = type_name(*context);
    add(checks, "thread.context", name == "Context" || name == "_contextvars.Context", "it is a " + name);
  }
  if (!state.running_loop.is_null()) add(checks, "thread.running_loop", type_name(state.running_loop) != "unreadable", "it is no object");
  if (!state.running_task.is_null()) add(checks, "thread.running_task", type_name(state.running_task) != "unreadable", "it is no object");
}

void check_task_list(const ObjectReader& reader, Address head, std::string subject, std::vector<SelfCheck>& checks) {
  auto next = reader.memory.read_value<Address>(head);
  auto previous = reader.memory.read_value<Address>(head + 8);
  bool good = next && previous && !next->is_null();
  if (good) {
    auto back = reader.memory.read_value<Address>(*next + 8);
    good = back && *back == head;
  }
  add(checks, std::move(subject), good, "it is no circular list");
}

}  // namespace

void check_threads(CheckScope& scope, std::vector<SelfCheck>& checks) {
  const PythonLayout& layout = scope.reader.layout;
  Runtime runtime;
  runtime.address = scope.runtime;
  auto interpreters = read_interpreters(scope.reader, runtime);
  if (!interpreters || interpreters->empty()) {
    add(checks, "interpreters", false, interpreters ? "there are none" : interpreters.error().what);
    return;
  }
  const Interpreter& main = interpreters->front();
  std::vector<Gap> gaps;
  std::vector<ThreadState> states = read_thread_states(scope.reader, main, gaps);
  add(checks, "thread states", !states.empty() && gaps.empty(), gaps.empty() ? "there are none" : gaps.front().reason);
  if (states.empty()) return;
  Inspection inspection{.reader = scope.reader, .types = {}, .codes = {}, .names = {}, .text_names = {}};
  check_stacks(inspection, states, checks);
  if (layout.cframe.previous.present()) check_cframes(scope.reader, states, checks);
  check_gil(scope.reader, main, states, checks);
  check_thread_members(inspection, states.back(), checks);
  bool native_plausible = states.back().native_thread_id > 0;
  for (const ThreadState& state : states) native_plausible = native_plausible && state.native_thread_id <= (1U << 22);  // kernel limit of pids
  if (layout.thread.native_thread_id.present()) {
    add(checks, "thread.native_thread_id", native_plausible, "it is no thread number");
  }
  bool id_plausible = true;  // a TCB address, above the program
  for (const ThreadState& state : states) id_plausible = id_plausible && state.thread_id > (1U << 16) && state.thread_id % 8 == 0;
  add(checks, "thread.thread_id", id_plausible, "it is no address of a thread");
  if (layout.thread.tasks_head.present()) {
    check_task_list(scope.reader, states.back().address + static_cast<std::uint64_t>(layout.thread.tasks_head.offset), "thread.tasks_head", checks);
    check_task_list(scope.reader, main.address + static_cast<std::uint64_t>(layout.interpreter.tasks_head.offset), "interpreter.tasks_head", checks);
  }
}

}  // namespace asyncspy
