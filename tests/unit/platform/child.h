// A forked process to inspect: runs a function, shares a page with the test, and ends with the test.
//
// The test waits for facts (a ready signal, a state in procfs), bounded, never for time to pass.
#pragma once

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <thread>

#include "catch.h"
#include "procfs.h"

namespace asyncspy {

// Whether `condition` came true. The bound only ends a broken test.
inline bool wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

struct SharedPage {
  std::atomic<int> ready{0};
  std::atomic<int> go_on{0};
  std::atomic<std::uint64_t> counter{0};
  std::atomic<std::uint64_t> other{0};
  std::atomic<void*> address{nullptr};
};

class Child {
 public:
  explicit Child(const std::function<void(SharedPage&)>& body) {
    void* page = ::mmap(nullptr, sizeof(SharedPage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    shared_ = new (page) SharedPage;
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body(*shared_);
    ::_exit(0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill_and_reap();
    ::munmap(shared_, sizeof(SharedPage));
  }

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] SharedPage& shared() const { return *shared_; }

  void wait_ready(int count = 1) const {
    REQUIRE(wait_until([&] { return shared_->ready.load() >= count; }));
  }

  [[nodiscard]] char state() const {
    const auto stat = read_process_stat(std::to_string(pid_));
    return stat ? stat->state : 'X';
  }

  // Whether the counter moves on from its present value.
  [[nodiscard]] bool counts_on() const {
    const auto before = shared_->counter.load();
    return wait_until([&] { return shared_->counter.load() != before; });
  }

  void kill_and_reap() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  int pid_ = -1;
  SharedPage* shared_ = nullptr;
};

// A pipe between the test and its children.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() { REQUIRE(::pipe(ends.data()) == 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
};

}  // namespace asyncspy
