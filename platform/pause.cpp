#include "pause.h"

#include <fmt/format.h>
#include <signal.h>

#include <system_error>

namespace asyncspy {

Result<std::unique_ptr<Pause>> Pause::stop(int pid, std::chrono::milliseconds deadline) {
  std::unique_ptr<Pause> pause(new Pause);
  if (auto started = pause->start(pid, deadline); !started) return std::unexpected(std::move(started.error()));
  pause->phase_.wait(kStopping);
  if (pause->outcome_) return pause;
  pause->release();
  return std::unexpected(std::move(pause->outcome_.error()));
}

Pause::~Pause() { release(); }

Result<void> Pause::start(int pid, std::chrono::milliseconds deadline) {
  // Signals to asyncspy are for its own threads: none may run a handler while a process stands still.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Result<void> outcome;
  try {
    tracing_thread_ = std::thread(&Pause::trace, this, pid, deadline);
  } catch (const std::system_error& error) {
    outcome = fail(ErrorKind::kInternal, fmt::format("asyncspy: can not start a thread: {}", error.what()));
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return outcome;
}

void Pause::trace(int pid, std::chrono::milliseconds deadline) {
  Tracer tracer(pid);
  outcome_ = tracer.stop_all(deadline);
  if (outcome_) {
    threads_ = tracer.stopped_threads();
  } else {
    tracer.let_go();
  }
  phase_.store(kStopped);
  phase_.notify_all();
  phase_.wait(kStopped);
  tracer.let_go();
  duration_ = tracer.duration();
}

std::chrono::nanoseconds Pause::release() {
  if (tracing_thread_.joinable()) {
    phase_.store(kReleasing);
    phase_.notify_all();
    tracing_thread_.join();
  }
  return duration_;
}

}  // namespace asyncspy
