#include "live_target.h"

#include <sys/syscall.h>
#include <time.h>

#include <algorithm>

#include "child.h"
#include "permission.h"

namespace asyncspy {
namespace {

Error attach_error(int pid) {
  const auto target = LiveTarget::attach(pid);
  REQUIRE_FALSE(target);
  return target.error();
}

}  // namespace

TEST_CASE("numbers that are no process are refused by name") {
  for (const int pid : {0, -1, 0x7FFFFFFF}) {
    const Error error = attach_error(pid);
    CHECK(error.kind == ErrorKind::kNoProcess);
    CHECK(error.what == fmt::format("process {}: no such process", pid));
  }
}

TEST_CASE("a thread is not a process, and the error names the process") {
  Child child([](SharedPage& shared) {
    std::thread([&shared] {
      shared.other = static_cast<std::uint64_t>(::syscall(SYS_gettid));
      shared.ready = 1;
      ::pause();
    }).join();
  });
  child.wait_ready();
  const auto tid = static_cast<int>(child.shared().other.load());
  const Error error = attach_error(tid);
  CHECK(error.kind == ErrorKind::kNoProcess);
  CHECK(error.what == fmt::format("process {}: is a thread of process {}", tid, child.pid()));
}

TEST_CASE("a zombie is refused, with the parent that should reap it") {
  Child child([](SharedPage&) {});
  REQUIRE(wait_until([&] { return child.state() == 'Z'; }));
  const Error error = attach_error(child.pid());
  CHECK(error.kind == ErrorKind::kNotPython);
  CHECK(error.what.starts_with(fmt::format("process {}: is a zombie", child.pid())));
  CHECK(error.hint.find(fmt::format("process {} ", ::getpid())) != std::string::npos);
}

TEST_CASE("a process that ends meanwhile is said to have ended, by each question") {
  Child child([](SharedPage& shared) {
    shared.ready = 1;
    ::pause();
  });
  child.wait_ready();
  auto target = LiveTarget::attach(child.pid());
  REQUIRE(target);
  const std::string expected = fmt::format("process {}: ended while it was being read", child.pid());
  child.kill_and_reap();
  const auto process = (*target)->read_process();
  REQUIRE_FALSE(process);
  CHECK(process.error().what == expected);
  CHECK(process.error().kind == ErrorKind::kNoProcess);
  const auto threads = (*target)->read_threads();
  REQUIRE_FALSE(threads);
  CHECK(threads.error().what == expected);
  const auto freeze = (*target)->freeze(std::chrono::seconds(10));
  REQUIRE_FALSE(freeze);
  CHECK(freeze.error().what == expected);
  CHECK((*target)->read_descriptors({0}).at(0).kind == Descriptor::Kind::kUnknown);
}

TEST_CASE("the facts of a process are those that it has") {
  Child child([](SharedPage& shared) {
    ::prctl(PR_SET_NAME, "odd) R (name");
    shared.ready = 1;
    ::pause();
  });
  child.wait_ready();
  auto target = LiveTarget::attach(child.pid());
  REQUIRE(target);
  const auto facts = (*target)->read_process();
  REQUIRE(facts);
  CHECK(facts->pid == child.pid());
  CHECK(facts->name == "odd) R (name");
  CHECK_FALSE(facts->command_line.empty());
  CHECK(facts->executable.starts_with("/"));
  CHECK_FALSE(facts->executable_deleted);
  CHECK(facts->user_id == ::geteuid());
  CHECK(facts->uptime_seconds >= 0);
  CHECK(facts->resident_bytes > 0);
  CHECK(facts->tracer_pid == 0);
  CHECK_FALSE(facts->other_root);
  CHECK(facts->mappings.size() > 5);
}

TEST_CASE("a frozen thread keeps the state and the name that it had before") {
  Child child([](SharedPage& shared) {
    std::thread([&shared] {
      ::prctl(PR_SET_NAME, "counter");
      ++shared.ready;
      for (;;) ++shared.counter;
    }).detach();
    ++shared.ready;
    ::pause();
  });
  child.wait_ready(2);
  REQUIRE(wait_until([&] { return child.state() == 'S'; }));
  auto target = LiveTarget::attach(child.pid());
  REQUIRE(target);
  // The kernel charges a running thread at its clock ticks: before the first one it has used no time.
  REQUIRE(wait_until([&] {
    const auto running = (*target)->read_threads();
    return running && std::ranges::any_of(*running, [](const ThreadFacts& thread) {
             return thread.name == "counter" && thread.cpu_time_ns > 0;
           });
  }));
  auto freeze = (*target)->freeze(std::chrono::seconds(10));
  REQUIRE(freeze);
  const auto& threads = (*freeze)->threads();
  REQUIRE(threads.size() == 2);
  for (const ThreadFacts& thread : threads) {
    const bool counts = thread.name == "counter";
    CHECK(thread.state == (counts ? 'R' : 'S'));
    CHECK(thread.in_user_mode == counts);
    CHECK(thread.registers);
    if (!counts) CHECK(thread.system_call.value_or(SystemCall{}).number == SYS_pause);
    if (counts) CHECK(thread.cpu_time_ns > 0);
  }
  CHECK((*freeze)->release() > std::chrono::nanoseconds(0));
  CHECK(child.counts_on());
}

TEST_CASE("the target's clock is this machine's clock") {
  Child child([](SharedPage& shared) {
    shared.ready = 1;
    ::pause();
  });
  child.wait_ready();
  auto target = LiveTarget::attach(child.pid());
  REQUIRE(target);
  const auto read_clock = [] {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  };
  const auto before = read_clock();
  const auto told = (*target)->monotonic_now();
  CHECK(before <= told);
  CHECK(told <= read_clock());
}

TEST_CASE("the hint for a refusal names the capability, containers, Kubernetes and Yama") {
  const std::string plain = permission_hint(std::nullopt);
  for (const char* word : {"CAP_SYS_PTRACE", "sudo", "--cap-add SYS_PTRACE", "shareProcessNamespace: true"}) {
    CHECK(plain.find(word) != std::string::npos);
  }
  CHECK(plain.find("yama") == std::string::npos);
  CHECK(permission_hint(0) == plain);
  CHECK(permission_hint(1).find("ptrace_scope is 1: ") != std::string::npos);
  CHECK(permission_hint(3).find("not even root") != std::string::npos);
}

TEST_CASE("a process that may not be read is refused with that hint") {
  // The process of another user, for a reader without rights.
  if (::geteuid() != 0) {
    WARN("not run: needs root to drop rights");
    return;
  }
  Child child([](SharedPage& shared) {
    shared.ready = 1;
    ::pause();
  });
  child.wait_ready();
  Child reader([&](SharedPage& shared) {
    if (::setuid(65534) != 0) return;
    const auto target = LiveTarget::attach(child.pid());
    const bool refused = !target && target.error().kind == ErrorKind::kPermission &&
                         target.error().hint.find("CAP_SYS_PTRACE") != std::string::npos;
    shared.counter = refused ? 1 : 2;
    shared.ready = 1;
    ::pause();
  });
  reader.wait_ready();
  CHECK(reader.shared().counter.load() == 1);
}

}  // namespace asyncspy
