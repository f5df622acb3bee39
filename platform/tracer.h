// Stops the threads of one process with ptrace and lets them go again.
//
// Used by Pause alone, on a thread of its own: all its calls must come from one thread, and the end of that thread
// makes the kernel let go of every thread that is still seized, in whatever state it is. Nothing here outlives the
// tracing thread: no SIGSTOP is sent (PTRACE_SEIZE and PTRACE_INTERRUPT need none), and no option is set that would
// kill or keep a tracee. So the target runs on even when asyncspy is killed at any point.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "process_facts.h"
#include "result.h"

namespace asyncspy {

// What a stop tells of a thread.
struct StoppedThread {
  int tid = 0;
  Registers registers;
  std::optional<SystemCall> system_call;  // that it sleeps in, or was about to sleep in
  bool in_user_mode = false;
  bool uninterruptible = false;  // it did not stop, but runs nothing of the program: no registers, no system call
};

class Tracer {
 public:
  using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC

  explicit Tracer(int pid) : pid_(pid) {}
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer() { let_go(); }

  // Stops all threads, the ones that are created meanwhile included, or fails with some of them stopped: let_go then. A
  // thread in uninterruptible sleep is waited for a moment only: it has the order to stop, and will obey it before it
  // returns to the program.
  [[nodiscard]] Result<void> stop_all(std::chrono::milliseconds deadline);

  [[nodiscard]] std::vector<StoppedThread> stopped_threads() const;

  [[nodiscard]] Clock::time_point begin() const { return begin_; }

  // Lets all stopped threads run on: a signal that was on its way is delivered, a thread that had been stopped by a
  // signal before stays stopped. Threads that did not stop are let go by the end of the tracing thread.
  void let_go();

  // From before the first order to stop until after the last thread was let go.
  [[nodiscard]] std::chrono::nanoseconds duration() const { return end_ - begin_; }

 private:
  enum class State { kSeized, kStopped, kUninterruptible, kGone };
  struct Tracee {
    State state = State::kSeized;
    int signal = 0;  // intercepted on its way to the thread
    StoppedThread facts;
  };

  [[nodiscard]] Result<bool> seize_new_threads();
  [[nodiscard]] Result<void> wait_for_stops(Clock::time_point end);
  [[nodiscard]] const Tracee* find_seized() const;  // one that has not stopped yet, or null
  void poll(Tracee& tracee) const;
  void record_stop(Tracee& tracee, int status) const;
  void drop_dead();
  void accept_uninterruptible();
  [[nodiscard]] Error explain_timeout(const Tracee& tracee) const;

  int pid_;
  std::vector<Tracee> tracees_;
  bool begun_ = false;
  Clock::time_point begin_{};
  Clock::time_point end_{};
};

}  // namespace asyncspy
