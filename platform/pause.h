// All threads of a process stand still while a Pause exists, but not longer than it was allowed to last.
//
// The ptrace calls are made on a thread that lives exactly as long as the pause. Its end is what makes the promise hold
// that nothing stays behind: a thread that did not stop in time can not be detached by a call, but the kernel lets go
// of it, and of the order to stop, as soon as its tracer has ended. That thread also keeps the time: the process runs on
// when it is over, whatever the rest of asyncspy is busy with.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "result.h"
#include "tracer.h"

namespace asyncspy {

class Pause {
 public:
  using Clock = Tracer::Clock;

  // Fails with kTimeout, naming the thread, when one does not stop in time; the others run on then.
  [[nodiscard]] static Result<std::unique_ptr<Pause>> stop(int pid, std::chrono::milliseconds longest);

  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  ~Pause();

  [[nodiscard]] const std::vector<StoppedThread>& threads() const { return threads_; }

  // Up to here the process certainly stands still, unless it is released or killed before.
  [[nodiscard]] Clock::time_point ends_at() const { return ends_at_; }

  // Lets the process run on. Says how long it stood still at most: from before the first thread was told to stop until
  // after the last was let go. Later calls change nothing.
  std::chrono::nanoseconds release();

 private:
  Pause() = default;
  [[nodiscard]] Result<void> start(int pid, std::chrono::milliseconds longest);
  void trace(int pid, std::chrono::milliseconds longest);
  void enter(int phase);

  enum Phase : int { kStopping, kStopped, kReleasing };
  std::mutex mutex_;
  std::condition_variable changed_;
  int phase_ = kStopping;  // guarded by the mutex
  std::thread tracing_thread_;
  // Written by the tracing thread before kStopped is reached, or before it ends.
  Result<void> outcome_;
  std::vector<StoppedThread> threads_;
  Clock::time_point ends_at_{};
  std::chrono::nanoseconds duration_{};
};

}  // namespace asyncspy
