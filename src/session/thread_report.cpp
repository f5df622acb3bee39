#include "thread_report.h"

#include <algorithm>
#include <optional>

#include "system_calls.h"

namespace asyncspy {
namespace {

// Bytes of struct _gil_runtime_state around last_holder: interval before it, then locked, switch number and two pairs
// of condition and mutex (Include/internal/pycore_gil.h).
constexpr std::uint64_t kGilBefore = 16;
constexpr std::uint64_t kGilAfter = 320;

bool belongs_to(const ThreadState& state, const ThreadFacts& facts) {
  // A core tells thread ids as seen from where it was written: from outside of a container they are others.
  if (facts.registers && state.thread_id != 0 && facts.registers->thread_base == state.thread_id) return true;
  return state.native_thread_id != 0 && state.native_thread_id == static_cast<std::uint64_t>(facts.namespace_tid);
}

// The kernel's number of a thread in the C library's descriptor of it: glibc (struct pthread, nptl/descr.h), musl 1.2 and 1.1
// (src/internal/pthread_impl.h). pthread_self is the descriptor's address.
constexpr std::uint64_t kLibraryTid[] = {0x2d0, 0x30, 0x38};

// Before 3.11 a thread state does not tell its thread's number. Without registers, that of the C library says which it is; it
// counts only where there is such a thread.
void fill_native_id(Memory& memory, ThreadState& state, const std::vector<ThreadFacts>& threads) {
  if (state.native_thread_id != 0 || state.thread_id == 0) return;
  for (std::uint64_t offset : kLibraryTid) {
    auto tid = memory.read_value<std::int32_t>(Address{state.thread_id} + offset);
    if (tid && *tid > 0 && std::ranges::find(threads, *tid, &ThreadFacts::namespace_tid) != threads.end()) {
      state.native_thread_id = static_cast<std::uint64_t>(*tid);
      return;
    }
  }
}

// The threads that run with each state, as places in `threads`; or none. A sub-interpreter has a state from its creation on in
// which nothing runs: it names no thread, or the one that created it. Such states are left out.
std::vector<std::optional<std::size_t>> match_threads(std::vector<ThreadState>& states, const std::vector<ThreadFacts>& threads) {
  std::vector<std::optional<std::size_t>> matches;
  std::vector<ThreadState> kept;
  std::vector<bool> used(threads.size(), false);
  for (const ThreadState& state : states) {
    std::size_t i = 0;
    while (i < threads.size() && (used[i] || !belongs_to(state, threads[i]))) ++i;
    bool is_found = i < threads.size();
    if (!is_found && state.frame.is_null()) continue;
    if (is_found) used[i] = true;
    matches.push_back(is_found ? std::optional(i) : std::nullopt);
    kept.push_back(state);
  }
  states = std::move(kept);
  return matches;
}

SystemCallReport describe_call(Snapshot& snapshot, const SystemCall& call) {
  CallMoment moment = snapshot.capture.mode == CaptureMode::kRunning ? CallMoment::kAsleep : CallMoment::kStopped;
  DecodedCall decoded = decode_system_call(call, *snapshot.memory, snapshot.capture.monotonic_ns, moment);
  SystemCallReport report;
  report.name = decoded.name;
  report.text = decoded.text;
  report.remaining_seconds = decoded.remaining_seconds;
  report.object = decoded.object;
  if (decoded.descriptor) {
    auto known = snapshot.descriptors.find(*decoded.descriptor);
    if (known != snapshot.descriptors.end()) {
      report.descriptor = known->second;
    } else {
      report.descriptor = Descriptor{};
      report.descriptor->number = *decoded.descriptor;
    }
  }
  return report;
}

void fill_facts(Thread& thread, const ThreadFacts& facts, Snapshot& snapshot) {
  thread.tid = facts.tid;
  thread.namespace_tid = facts.namespace_tid;
  thread.name = facts.name;
  thread.state = facts.state;
  thread.cpu_seconds = static_cast<double>(facts.cpu_time_ns) / 1e9;
  thread.on_cpu = facts.in_user_mode || (facts.state == 'R' && !facts.system_call);
  if (facts.system_call) {
    thread.system_call = describe_call(snapshot, *facts.system_call);
  } else if (facts.sleeps_in_epoll) {
    thread.system_call = SystemCallReport{};
    thread.system_call->name = "epoll_wait";
    thread.system_call->text = "epoll_wait(...)";
  }
}

void fill_gil(Thread& thread, const ThreadState& state, const std::vector<Interpreter>& interpreters) {
  for (const Interpreter& interpreter : interpreters) {
    if (interpreter.gil_locked && interpreter.gil_holder == state.address) thread.holds_gil = true;
    if (interpreter.id != state.interpreter || interpreter.gil.is_null() || !thread.system_call) continue;
    Address word = thread.system_call->object;
    if (!word.is_null() && word >= interpreter.gil - kGilBefore && word < interpreter.gil + kGilAfter) thread.waits_for_gil = true;
  }
  if (thread.holds_gil) thread.waits_for_gil = false;
}

}  // namespace

ThreadReport report_threads(Inspection& inspection, Snapshot& snapshot, const std::vector<Interpreter>& interpreters,
                            LocalsReader* locals, std::vector<Gap>& gaps) {
  ThreadReport report;
  for (const Interpreter& interpreter : interpreters) {
    std::vector<ThreadState> states = read_thread_states(inspection.reader, interpreter, gaps);
    std::reverse(states.begin(), states.end());  // oldest first: the main thread leads
    report.states.insert(report.states.end(), states.begin(), states.end());
  }
  for (ThreadState& state : report.states) fill_native_id(*snapshot.memory, state, snapshot.threads);
  const auto matches = match_threads(report.states, snapshot.threads);
  std::vector<bool> used(snapshot.threads.size(), false);
  for (const ThreadState& state : report.states) {
    Thread thread;
    thread.has_python = true;
    thread.python_thread = Address{state.thread_id};
    thread.interpreter = state.interpreter;
    if (const auto& match = matches[report.threads.size()]) {
      used[*match] = true;
      fill_facts(thread, snapshot.threads[*match], snapshot);
    }
    fill_gil(thread, state, interpreters);
    StackWalk walk = walk_stack(inspection, state.frame, state.cframe);
    std::vector<Address> addresses;
    for (const WalkedFrame& frame : walk.frames) {
      if (!frame.shown.object.is_null()) {
        report.places.emplace(frame.address, StackPlace{report.threads.size(), thread.stack.size()});
      }
      thread.stack.push_back(frame.shown);
      addresses.push_back(frame.address);
    }
    if (locals != nullptr) locals->attach(thread.stack, addresses);
    thread.runs = std::move(walk.runs);
    thread.gaps = std::move(walk.gaps);
    report.threads.push_back(std::move(thread));
    report.frame_addresses.push_back(std::move(addresses));
  }
  for (std::size_t i = 0; i < snapshot.threads.size(); ++i) {
    if (used[i]) continue;
    Thread thread;
    fill_facts(thread, snapshot.threads[i], snapshot);
    report.threads.push_back(std::move(thread));
    report.frame_addresses.emplace_back();
  }
  return report;
}

}  // namespace asyncspy
