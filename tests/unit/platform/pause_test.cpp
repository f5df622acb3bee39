#include "pause.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <set>
#include <vector>

#include "child.h"
#include "live_memory.h"

namespace asyncspy {
namespace {

using namespace std::chrono_literals;

// Long enough to never matter on a loaded machine.
constexpr auto kDeadline = 10s;

[[noreturn]] void count_for_ever(std::atomic<std::uint64_t>& counter) {
  for (;;) ++counter;
}

// One thread that counts, and two that sleep in a read that never ends.
void run_three_threads(SharedPage& shared) {
  static int ends[2];
  if (::pipe(ends) != 0) return;
  for (int i = 0; i < 2; ++i) {
    std::thread([&shared] {
      ++shared.ready;
      char byte = 0;
      if (::read(ends[0], &byte, 1) != 1) return;
    }).detach();
  }
  ++shared.ready;
  count_for_ever(shared.counter);
}

std::vector<char> thread_states(int pid) {
  std::vector<char> states;
  for (const int tid : read_thread_ids(pid)) {
    if (const auto facts = read_thread_facts(pid, tid, false)) states.push_back(facts->state);
  }
  return states;
}

bool all_stopped(int pid) {
  const auto states = thread_states(pid);
  return std::ranges::all_of(states, [](char state) { return state == 't' || state == 'Z' || state == 'X'; });
}

int tracer_of(int pid) {
  const auto status = read_process_status(std::to_string(pid));
  return status ? status->tracer : -1;
}

}  // namespace

TEST_CASE("no thread runs while a pause exists, and all run on after it") {
  Child child(run_three_threads);
  child.wait_ready(3);
  REQUIRE(child.counts_on());
  auto pause = Pause::stop(child.pid(), kDeadline);
  REQUIRE(pause);
  CHECK(all_stopped(child.pid()));
  const auto stopped_at = child.shared().counter.load();
  std::set<int> tids;
  for (const StoppedThread& thread : (*pause)->threads()) {
    tids.insert(thread.tid);
    CHECK(thread.registers.instruction_pointer != 0);
    CHECK(thread.registers.stack_pointer != 0);
    CHECK(thread.registers.thread_base != 0);
    if (thread.tid == child.pid()) {
      CHECK(thread.in_user_mode);
      CHECK_FALSE(thread.system_call);
    }
  }
  const auto listed = read_thread_ids(child.pid());
  CHECK(tids == std::set<int>(listed.begin(), listed.end()));
  CHECK(tids.size() == 3);
  CHECK(child.shared().counter.load() == stopped_at);
  CHECK((*pause)->release() > 0ns);
  CHECK(child.counts_on());
  CHECK(tracer_of(child.pid()) == 0);
}

TEST_CASE("the end of a pause object releases, and a second release changes nothing") {
  Child child(run_three_threads);
  child.wait_ready(3);
  {
    auto pause = Pause::stop(child.pid(), kDeadline);
    REQUIRE(pause);
  }
  CHECK(child.counts_on());
  auto pause = Pause::stop(child.pid(), kDeadline);
  REQUIRE(pause);
  const auto duration = (*pause)->release();
  CHECK((*pause)->release() == duration);
}

TEST_CASE("a thread that sleeps in a call is stopped with that call and its arguments, again and again") {
  Pipe pipe;
  Child child([&](SharedPage& shared) {
    shared.ready = 1;
    char byte = 0;
    if (::read(pipe.ends[0], &byte, 1) == 1) shared.counter = 1;
    ::pause();
  });
  child.wait_ready();
  REQUIRE(wait_until([&] { return child.state() == 'S'; }));
  for (int i = 0; i < 3; ++i) {
    auto pause = Pause::stop(child.pid(), kDeadline);
    REQUIRE(pause);
    REQUIRE((*pause)->threads().size() == 1);
    const StoppedThread& thread = (*pause)->threads()[0];
    REQUIRE(thread.system_call);
    CHECK(thread.system_call->number == 0);
    CHECK(static_cast<int>(thread.system_call->arguments[0]) == pipe.ends[0]);
    CHECK_FALSE(thread.in_user_mode);
  }
  // The interrupted call was started again and completes as if nothing had been.
  REQUIRE(::write(pipe.ends[1], "x", 1) == 1);
  CHECK(wait_until([&] { return child.shared().counter.load() == 1; }));
}

TEST_CASE("threads that are created during the stop are stopped too") {
  // Always some thread is being created or is ending; each counts once.
  Child child([](SharedPage& shared) {
    for (int i = 0; i < 2; ++i) {
      std::thread([&shared] {
        for (;;) {
          std::thread one([&shared] { ++shared.counter; });
          std::thread other([&shared] { ++shared.counter; });
          one.join();
          other.join();
        }
      }).detach();
    }
    shared.ready = 1;
    ::pause();
  });
  child.wait_ready();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(child.counts_on());
    auto pause = Pause::stop(child.pid(), kDeadline);
    REQUIRE(pause);
    const auto before = child.shared().counter.load();
    if (!all_stopped(child.pid())) FAIL("a thread runs during the stop");
    if (child.shared().counter.load() != before) FAIL("a thread has run during the stop");
  }
  CHECK(child.counts_on());
}

TEST_CASE("a process that is killed while it is paused does not hang the release") {
  Child child(run_three_threads);
  child.wait_ready(3);
  auto pause = Pause::stop(child.pid(), kDeadline);
  REQUIRE(pause);
  REQUIRE(::kill(child.pid(), SIGKILL) == 0);
  REQUIRE(wait_until([&] { return child.state() == 'Z' || child.state() == 'X'; }));
  (*pause)->release();
  const auto again = Pause::stop(child.pid(), kDeadline);
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::kNoProcess);
}

TEST_CASE("a process that a signal had stopped stays stopped") {
  Child child(run_three_threads);
  child.wait_ready(3);
  REQUIRE(::kill(child.pid(), SIGSTOP) == 0);
  REQUIRE(wait_until([&] {
    const auto states = thread_states(child.pid());
    return std::ranges::all_of(states, [](char state) { return state == 'T'; });
  }));
  const auto stopped_at = child.shared().counter.load();
  for (int i = 0; i < 3; ++i) {
    auto pause = Pause::stop(child.pid(), kDeadline);
    REQUIRE(pause);
    CHECK((*pause)->threads().size() == 3);
    CHECK(all_stopped(child.pid()));
    (*pause)->release();
    CHECK(wait_until([&] {
      const auto states = thread_states(child.pid());
      return std::ranges::all_of(states, [](char state) { return state == 'T'; });
    }));
  }
  CHECK(child.shared().counter.load() == stopped_at);
  REQUIRE(::kill(child.pid(), SIGCONT) == 0);
  CHECK(child.counts_on());
}

namespace {

SharedPage* handler_page = nullptr;

void count_signals(SharedPage& shared, int signal) {
  handler_page = &shared;
  struct sigaction action {};
  action.sa_handler = [](int number) {
    if (number == SIGUSR2) {
      ++handler_page->ready;
    } else {
      ++handler_page->other;
    }
  };
  ::sigaction(signal, &action, nullptr);
  ::sigaction(SIGUSR2, &action, nullptr);
}

}  // namespace

TEST_CASE("a signal that is sent during a pause is delivered exactly once after it") {
  Child child([](SharedPage& shared) {
    count_signals(shared, SIGUSR1);
    shared.ready = 1;
    count_for_ever(shared.counter);
  });
  child.wait_ready();
  {
    auto pause = Pause::stop(child.pid(), kDeadline);
    REQUIRE(pause);
    REQUIRE(::kill(child.pid(), SIGUSR1) == 0);
    CHECK(child.shared().other.load() == 0);
  }
  REQUIRE(wait_until([&] { return child.shared().other.load() > 0; }));
  // Signals of this number are taken in order of their numbers: after this one, an earlier SIGUSR1 has been handled.
  REQUIRE(::kill(child.pid(), SIGUSR2) == 0);
  child.wait_ready(2);
  CHECK(child.shared().other.load() == 1);
}

TEST_CASE("no signal is lost or doubled when signals come while threads are being stopped") {
  constexpr int kCount = 3000;
  Child child([](SharedPage& shared) {
    count_signals(shared, SIGRTMIN);
    shared.ready = 1;
    count_for_ever(shared.counter);
  });
  child.wait_ready();
  // Real-time signals queue: each one that is sent must arrive.
  Child sender([&](SharedPage& shared) {
    for (int i = 0; i < kCount; ++i) {
      if (::kill(child.pid(), SIGRTMIN) != 0) return;
      ++shared.counter;
      ::sched_yield();
    }
    ::pause();
  });
  while (sender.shared().counter.load() < kCount) {
    auto pause = Pause::stop(child.pid(), kDeadline);
    if (!pause) FAIL(pause.error().what);
  }
  REQUIRE(wait_until([&] { return child.shared().other.load() >= kCount; }));
  REQUIRE(::kill(child.pid(), SIGUSR2) == 0);
  child.wait_ready(2);
  CHECK(child.shared().other.load() == kCount);
}

TEST_CASE("a thread in uninterruptible sleep is told apart, and nothing stays behind") {
  // Whoever calls vfork sleeps uninterruptibly until the child has ended: the child waits for the test's word.
  Pipe pipe;
  Child child([&](SharedPage& shared) {
    std::thread([&shared] { count_for_ever(shared.counter); }).detach();
    shared.ready = 1;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    const pid_t grandchild = ::vfork();
#pragma GCC diagnostic pop
    if (grandchild == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      char byte = 0;
      ::_exit(::read(pipe.ends[0], &byte, 1) == 1 ? 0 : 1);
    }
    shared.go_on = 1;
    ::pause();
  });
  child.wait_ready();
  REQUIRE(wait_until([&] { return child.state() == 'D'; }));
  auto pause = Pause::stop(child.pid(), kDeadline);
  REQUIRE(pause);
  REQUIRE((*pause)->threads().size() == 2);
  for (const StoppedThread& thread : (*pause)->threads()) CHECK(thread.uninterruptible == (thread.tid == child.pid()));
  const auto stopped_at = child.shared().counter.load();
  CHECK(child.state() == 'D');
  CHECK(child.shared().counter.load() == stopped_at);
  (*pause)->release();
  CHECK(tracer_of(child.pid()) == 0);
  CHECK(child.counts_on());
  // The order to stop is gone as well: the thread goes on as soon as it can.
  REQUIRE(::write(pipe.ends[1], "x", 1) == 1);
  CHECK(wait_until([&] { return child.shared().go_on.load() == 1; }));
  CHECK(child.counts_on());
}

TEST_CASE("a process runs on when the one that paused it is killed") {
  Child child(run_three_threads);
  child.wait_ready(3);
  Child debugger([&](SharedPage& shared) {
    auto pause = Pause::stop(child.pid(), kDeadline);
    if (pause) shared.ready = 1;
    ::pause();
  });
  debugger.wait_ready();
  CHECK(all_stopped(child.pid()));
  // A second debugger is told who holds the process.
  const auto second = Pause::stop(child.pid(), kDeadline);
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::kPermission);
  CHECK(second.error().what.find("is being traced by process ") != std::string::npos);
  debugger.kill_and_reap();
  CHECK(child.counts_on());
  CHECK(tracer_of(child.pid()) == 0);
}

TEST_CASE("a process whose first thread has ended is paused by its others") {
  Child child([](SharedPage& shared) {
    std::thread([&shared] { count_for_ever(shared.counter); }).detach();
    shared.ready = 1;
    ::syscall(SYS_exit, 0);  // this thread alone
  });
  child.wait_ready();
  REQUIRE(wait_until([&] { return child.state() == 'Z'; }));
  auto pause = Pause::stop(child.pid(), kDeadline);
  REQUIRE(pause);
  CHECK((*pause)->threads().size() == 1);
  CHECK((*pause)->threads()[0].tid != child.pid());
  (*pause)->release();
  CHECK(child.counts_on());
}

}  // namespace asyncspy
