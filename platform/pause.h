// All threads of a process stand still while a Pause exists.
//
// The ptrace calls are made on a thread that lives exactly as long as the pause. Its end is what makes the promise hold
// that nothing stays behind: a thread that did not stop in time can not be detached by a call, but the kernel lets go
// of it, and of the order to stop, as soon as its tracer has ended.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "result.h"
#include "tracer.h"

namespace asyncspy {

class Pause {
 public:
  // Fails with kTimeout, naming the thread, when one does not stop before the deadline; the others run on then.
  [[nodiscard]] static Result<std::unique_ptr<Pause>> stop(int pid, std::chrono::milliseconds deadline);

  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  ~Pause();

  [[nodiscard]] const std::vector<StoppedThread>& threads() const { return threads_; }

  // Lets the process run on. Says how long it stood still at most: from before the first thread was told to stop until
  // after the last was let go. Later calls change nothing.
  std::chrono::nanoseconds release();

 private:
  Pause() = default;
  [[nodiscard]] Result<void> start(int pid, std::chrono::milliseconds deadline);
  void trace(int pid, std::chrono::milliseconds deadline);

  enum Phase : int { kStopping, kStopped, kReleasing };
  std::atomic<int> phase_{kStopping};
  std::thread tracing_thread_;
  // Written by the tracing thread before kStopped is reached, or before it ends.
  Result<void> outcome_;
  std::vector<StoppedThread> threads_;
  std::chrono::nanoseconds duration_{};
};

}  // namespace asyncspy
