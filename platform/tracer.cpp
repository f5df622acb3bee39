#include "tracer.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <unordered_set>

#include "permission.h"
#include "procfs.h"
#include "restarted_call.h"
#include "thread_registers.h"

namespace asyncspy {
namespace {

using namespace std::chrono_literals;

// A thread that sleeps stops within microseconds; one that is in a long kernel function is looked at more and more
// rarely, so that asyncspy does not eat the CPU that the thread needs.
constexpr int kEagerRounds = 100;
constexpr auto kFirstNap = 20us;
constexpr auto kLongestNap = 500us;

// Uninterruptible sleeps of a page fault or a contended lock of the kernel are over by then.
constexpr auto kLongestOrdinarySleep = 10ms;

// PTRACE_EVENT_STOP: an enumerator in some headers, a macro in others, and missing in a third kind.
constexpr int kEventStop = 128;

bool is_dead(int pid, int tid) {
  const auto stat = read_process_stat(fmt::format("{}/task/{}", pid, tid));
  return !stat || stat->state == 'Z' || stat->state == 'X';
}

// Words of a stopped thread. The span's size is a multiple of a word's.
bool peek(int tid, std::uint64_t from, std::span<std::byte> into) {
  for (std::size_t at = 0; at < into.size(); at += sizeof(long)) {
    errno = 0;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel's interface
    const long word = ::ptrace(PTRACE_PEEKTEXT, tid, reinterpret_cast<void*>(from + at), nullptr);
    if (errno != 0) return false;
    std::memcpy(into.data() + at, &word, sizeof(word));
  }
  return true;
}

}  // namespace

Result<void> Tracer::stop_all(std::chrono::milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  for (;;) {
    const auto any = seize_new_threads();
    if (!any) return std::unexpected(any.error());
    if (!*any) break;
    if (auto done = wait_for_stops(end); !done) return done;
    if (Clock::now() >= end) {
      return fail(ErrorKind::kTimeout, fmt::format("process {}: its threads come and go faster than they can be stopped", pid_),
                  "allow a longer stop with --max-pause, or read it without one: --no-pause");
    }
  }
  const bool any_left = std::ranges::any_of(tracees_, [](auto& one) { return one.state != State::kGone; });
  if (!any_left) return std::unexpected(process_ended(pid_));
  return {};
}

// Says whether there were any. All are seized before the first is interrupted: only the latter stops a thread.
Result<bool> Tracer::seize_new_threads() {
  std::unordered_set<int> known;
  for (const Tracee& tracee : tracees_) known.insert(tracee.facts.tid);
  const std::size_t first_new = tracees_.size();
  for (const int tid : read_thread_ids(pid_)) {
    if (known.contains(tid)) continue;
    Tracee tracee;
    tracee.facts.tid = tid;
    if (::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) {
      const int error = errno;
      // A thread that is ending is refused with EPERM.
      if (error != ESRCH && !is_dead(pid_, tid)) {
        if (error == EPERM || error == EACCES) return std::unexpected(explain_refusal(pid_, "stop"));
        return fail(ErrorKind::kInternal, fmt::format("thread {}: can not be seized: {}", tid, std::strerror(error)));
      }
      tracee.state = State::kGone;
    }
    tracees_.push_back(tracee);
  }
  if (!begun_) begin_ = Clock::now();
  begun_ = true;
  // One that has ended meanwhile counts: where it was, the kernel ended the listing, and others may follow (fs/proc/base.c,
  // next_tid).
  const bool any = tracees_.size() > first_new;
  for (std::size_t i = first_new; i < tracees_.size(); ++i) {
    if (tracees_[i].state != State::kSeized) continue;
    if (::ptrace(PTRACE_INTERRUPT, tracees_[i].facts.tid, nullptr, nullptr) != 0) tracees_[i].state = State::kGone;
  }
  return any;
}

const Tracer::Tracee* Tracer::find_seized() const {
  const auto found = std::ranges::find(tracees_, State::kSeized, &Tracee::state);
  return found == tracees_.end() ? nullptr : &*found;
}

Result<void> Tracer::wait_for_stops(Clock::time_point end) {
  auto nap = std::chrono::microseconds(kFirstNap);
  for (int round = 0;; ++round) {
    for (Tracee& tracee : tracees_) {
      if (tracee.state == State::kSeized) poll(tracee);
    }
    const Tracee* waiting = find_seized();
    if (waiting == nullptr) return {};
    const auto now = Clock::now();
    if (now >= std::min(end, begin_ + kLongestOrdinarySleep)) {
      accept_uninterruptible();
      waiting = find_seized();
      if (waiting == nullptr) return {};
    }
    if (now >= end) return std::unexpected(explain_timeout(*waiting));
    if (round < kEagerRounds) {
      ::sched_yield();
      continue;
    }
    if (round == kEagerRounds) drop_dead();
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, std::chrono::microseconds(kLongestNap));
  }
}

void Tracer::poll(Tracee& tracee) const {
  int status = 0;
  const pid_t got = ::waitpid(tracee.facts.tid, &status, __WALL | WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) return;
  if (got > 0 && WIFSTOPPED(status)) {
    record_stop(tracee, status);
  } else {
    tracee.state = State::kGone;
  }
}

void Tracer::record_stop(Tracee& tracee, int status) const {
  // A stop with an event is ours, or that of a process which a signal had stopped already; one without is a signal that
  // came first and waits for the permission to be delivered.
  tracee.signal = (status >> 16) == kEventStop ? 0 : WSTOPSIG(status);
  tracee.state = State::kStopped;
  user_regs_struct registers{};
  if (::ptrace(PTRACE_GETREGS, tracee.facts.tid, nullptr, &registers) != 0) {
    tracee.state = State::kGone;  // killed while it was stopped
    return;
  }
  StoppedThread& facts = tracee.facts;
  facts.registers = copy_registers(registers);
  facts.in_user_mode = is_in_user_mode(registers);
  facts.system_call = find_interrupted_call(registers);
  if (!facts.system_call || !is_restarted(*facts.system_call)) return;
  SystemCall& call = *facts.system_call;
  const auto read = [&](std::uint64_t from, std::span<std::byte> into) { return peek(facts.tid, from, into); };
  call.number = find_restarted_call(registers.rip, registers.rsp, read).value_or(call.number);
}

// The first thread of a process does not report its end while others run.
void Tracer::drop_dead() {
  for (Tracee& tracee : tracees_) {
    if (tracee.state == State::kSeized && is_dead(pid_, tracee.facts.tid)) tracee.state = State::kGone;
  }
}

// No need to see such a thread stop: the order is pending, so that it stops on its way back, whenever that is. (A thread
// in vfork sleeps like this for as long as its child wants.)
void Tracer::accept_uninterruptible() {
  for (Tracee& tracee : tracees_) {
    if (tracee.state != State::kSeized) continue;
    const auto stat = read_process_stat(fmt::format("{}/task/{}", pid_, tracee.facts.tid));
    if (!stat || stat->state != 'D') continue;
    tracee.state = State::kUninterruptible;
    tracee.facts.uninterruptible = true;
  }
}

std::vector<StoppedThread> Tracer::stopped_threads() const {
  std::vector<StoppedThread> threads;
  for (const Tracee& tracee : tracees_) {
    const bool stands = tracee.state == State::kStopped || tracee.state == State::kUninterruptible;
    if (stands) threads.push_back(tracee.facts);
  }
  return threads;
}

void Tracer::let_go() {
  for (Tracee& tracee : tracees_) {
    if (tracee.state == State::kUninterruptible) poll(tracee);  // it may have stopped since, with a signal to deliver
    if (tracee.state != State::kStopped) continue;
    ::ptrace(PTRACE_DETACH, tracee.facts.tid, nullptr, static_cast<std::uintptr_t>(tracee.signal));
    tracee.state = State::kGone;
  }
  if (begun_) end_ = Clock::now();
  begun_ = false;
}

Error Tracer::explain_timeout(const Tracee& tracee) const {
  const auto stat = read_process_stat(fmt::format("{}/task/{}", pid_, tracee.facts.tid));
  const char state = stat ? stat->state : '?';
  const char* reason = state == 'D' ? " (in a system call that can not be interrupted)" : "";
  return {ErrorKind::kTimeout,
          fmt::format("process {}: thread {} did not stop in time, its state is {}{}", pid_, tracee.facts.tid, state,
                      reason),
          "the process runs on as before; allow a longer stop with --max-pause, or read it without one: --no-pause",
          {}};
}

}  // namespace asyncspy
