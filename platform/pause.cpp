#include "pause.h"

#include <fmt/format.h>
#include <signal.h>

#include <system_error>

namespace asyncspy {
namespace {

// Threads do not run the moment that they are let go: that is begun so much earlier.
constexpr std::chrono::microseconds kLettingGo{250};

}  // namespace

Result<std::unique_ptr<Pause>> Pause::stop(int pid, std::chrono::milliseconds longest) {
  std::unique_ptr<Pause> pause(new Pause);
  if (auto started = pause->start(pid, longest); !started) return std::unexpected(std::move(started.error()));
  {
    std::unique_lock lock(pause->mutex_);
    pause->changed_.wait(lock, [&] { return pause->phase_ != kStopping; });
  }
  if (pause->outcome_) return pause;
  pause->release();
  return std::unexpected(std::move(pause->outcome_.error()));
}

Pause::~Pause() { release(); }

Result<void> Pause::start(int pid, std::chrono::milliseconds longest) {
  // Signals to asyncspy are for its own threads: none may run a handler while a process stands still.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Result<void> outcome;
  try {
    tracing_thread_ = std::thread(&Pause::trace, this, pid, longest);
  } catch (const std::system_error& error) {
    outcome = fail(ErrorKind::kInternal, fmt::format("asyncspy: can not start a thread: {}", error.what()));
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return outcome;
}

void Pause::trace(int pid, std::chrono::milliseconds longest) {
  Tracer tracer(pid);
  outcome_ = tracer.stop_all(longest);
  ends_at_ = tracer.begin() + longest - kLettingGo;
  if (outcome_) {
    threads_ = tracer.stopped_threads();
  } else {
    tracer.let_go();
  }
  enter(kStopped);
  {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, ends_at_, [&] { return phase_ == kReleasing; });
  }
  tracer.let_go();
  duration_ = tracer.duration();
}

void Pause::enter(int phase) {
  const std::lock_guard lock(mutex_);
  phase_ = phase;
  changed_.notify_all();
}

std::chrono::nanoseconds Pause::release() {
  if (tracing_thread_.joinable()) {
    enter(kReleasing);
    tracing_thread_.join();
  }
  return duration_;
}

}  // namespace asyncspy
