#include "system_calls.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>

#include "bytes_memory.h"
#include "child.h"
#include "live_target.h"
#include "restarted_call.h"
#include "system_call_names.h"

namespace asyncspy {
namespace {

constexpr Address kPlace{0x10000};
constexpr std::uint64_t kNowNs = 1000 * 1'000'000'000ULL;

template <class... Arguments>
DecodedCall decode(Memory& memory, CallMoment moment, int number, Arguments... arguments) {
  const SystemCall call{number, {static_cast<std::uint64_t>(arguments)...}};
  return decode_system_call(call, memory, static_cast<std::int64_t>(kNowNs), moment);
}

// Waits until the child sleeps in the call, then stops it twice: a call must look the same the second time, when the
// kernel has restarted it. Gives the decoding of the second stop.
DecodedCall decode_stopped(const Child& child, int number) {
  auto target = LiveTarget::attach(child.pid());
  REQUIRE(target);
  REQUIRE(wait_until([&] {
    const auto threads = (*target)->read_threads();
    return threads && threads->size() == 1 && threads->front().state == 'S' && threads->front().system_call &&
           threads->front().system_call->number == number;
  }));
  DecodedCall decoded;
  for (int i = 0; i < 2; ++i) {
    auto freeze = (*target)->freeze(std::chrono::seconds(10));
    REQUIRE(freeze);
    REQUIRE((*freeze)->threads().size() == 1);
    const ThreadFacts& thread = (*freeze)->threads().front();
    REQUIRE(thread.system_call);
    CHECK(thread.system_call->number == number);
    decoded = decode_system_call(*thread.system_call, (*target)->memory(), (*target)->monotonic_now());
    (void)(*freeze)->release();
  }
  return decoded;
}

}  // namespace

TEST_CASE("system calls have the names of this machine's table") {
  CHECK(system_call_name(SYS_read) == "read");
  CHECK(system_call_name(SYS_pselect6) == "pselect6");
  CHECK(system_call_name(SYS_epoll_pwait2) == "epoll_pwait2");
  CHECK(system_call_name(334) == "rseq");
  CHECK(system_call_name(424) == "pidfd_send_signal");
  CHECK(system_call_name(335).empty());
  CHECK(system_call_name(-1).empty());
  CHECK(system_call_name(100000).empty());
}

TEST_CASE("arguments are put into words") {
  BytesMemory memory;
  const auto stopped = CallMoment::kStopped;
  const auto text = [&](auto... arguments) { return decode(memory, stopped, arguments...).text; };
  CHECK(text(SYS_read, 7) == "read(fd 7)");
  CHECK(text(SYS_epoll_wait, 4, 0, 64, 27'300) == "epoll_wait(fd 4, timeout 27.3 s)");
  CHECK(text(SYS_epoll_wait, 4, 0, 64, 0xFFFFFFFF) == "epoll_wait(fd 4, no timeout)");
  CHECK(text(SYS_flock, 3, LOCK_EX) == "flock(fd 3, LOCK_EX)");
  CHECK(text(SYS_wait4, -1) == "wait4(any child)");
  CHECK(text(SYS_wait4, 0xFFFFFFFF) == "wait4(any child)");
  CHECK(text(SYS_wait4, 123) == "wait4(pid 123)");
  CHECK(text(SYS_waitid, 3, 9) == "waitid(fd 9)");
  CHECK(text(SYS_pause) == "pause()");
  CHECK(text(SYS_getrandom, 0x1000, 16) == "getrandom(16 bytes)");
  CHECK(text(SYS_mmap, 0x1000, 16, 0, 1) == "mmap(0x1000, 0x10, 0x0, 0x1)");
  CHECK(text(999, 1) == "system call 999(0x1)");
  CHECK(text(SYS_io_uring_enter, 5, 1, 2) == "io_uring_enter(fd 5, submit 1, wait for 2)");
  CHECK(text(SYS_sendfile, 5, 6) == "sendfile(fd 5, fd 6)");
}

TEST_CASE("times are those that are left when the kernel has written them down") {
  BytesMemory memory;
  memory.put(kPlace, timespec{5, 500'000'000});
  memory.put(kPlace + 64, timespec{2, 0});
  const auto stopped = decode(memory, CallMoment::kStopped, SYS_nanosleep, kPlace.value(), (kPlace + 64).value());
  CHECK(stopped.text == "nanosleep(5.5 s, 2.0 s left)");
  CHECK(stopped.remaining_seconds == 2.0);
  const auto asleep = decode(memory, CallMoment::kAsleep, SYS_nanosleep, kPlace.value(), (kPlace + 64).value());
  CHECK(asleep.text == "nanosleep(5.5 s)");
  CHECK_FALSE(asleep.remaining_seconds);
  const auto same = decode(memory, CallMoment::kStopped, SYS_nanosleep, kPlace.value(), kPlace.value());
  CHECK(same.text == "nanosleep(5.5 s left)");
  const auto pselect = decode(memory, CallMoment::kAsleep, SYS_pselect6, 0, 0, 0, 0, kPlace.value());
  CHECK(pselect.text == "pselect6(no descriptors, timeout 5.5 s)");
}

TEST_CASE("absolute times count from the clock that they belong to") {
  BytesMemory memory;
  memory.put(kPlace, timespec{1027, 300'000'000});
  memory.put(kPlace + 64, timespec{998, 0});
  const auto sleep = decode(memory, CallMoment::kAsleep, SYS_clock_nanosleep, CLOCK_MONOTONIC, 1, kPlace.value());
  CHECK(sleep.text == "clock_nanosleep(CLOCK_MONOTONIC, until +27.3 s)");
  REQUIRE(sleep.remaining_seconds);
  CHECK(std::abs(*sleep.remaining_seconds - 27.3) < 1e-6);
  const auto late =
      decode(memory, CallMoment::kStopped, SYS_futex, 0x7f00, FUTEX_WAIT_BITSET_PRIVATE, 0, (kPlace + 64).value());
  CHECK(late.text == "futex(FUTEX_WAIT_BITSET, 0x7f00, until -2.0 s)");
  CHECK(late.object == Address{0x7f00});
  const auto real = decode(memory, CallMoment::kStopped, SYS_futex, 0x7f00,
                           FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, kPlace.value());
  CHECK(real.text == "futex(FUTEX_WAIT_BITSET, 0x7f00, until CLOCK_REALTIME 1027.300)");
  CHECK_FALSE(real.remaining_seconds);
}

TEST_CASE("memory that can not be read, or makes no sense, is said") {
  BytesMemory memory;
  memory.put(kPlace, timespec{-1, 2'000'000'000});
  const auto text = [&](auto... arguments) { return decode(memory, CallMoment::kStopped, arguments...).text; };
  CHECK(text(SYS_ppoll, 0, 0, 0x666) == "ppoll(no descriptors, timeout unreadable)");
  CHECK(text(SYS_ppoll, 0x666, 2, kPlace.value()) == "ppoll(descriptors unreadable, timeout unreadable)");
  CHECK(text(SYS_select, 64, 0x666) == "select(descriptors unreadable, no timeout)");
  CHECK(text(SYS_connect, 3, 0x666, 16) == "connect(fd 3, address unreadable)");
  CHECK(text(SYS_openat, -100, 0x666) == "openat(path unreadable)");
  CHECK(text(SYS_fcntl, 3, F_SETLKW, 0x666) == "fcntl(fd 3, F_SETLKW, lock unreadable)");
  CHECK(text(SYS_nanosleep, 0x666, 0) == "nanosleep(time unreadable)");
}

TEST_CASE("many polled descriptors are listed in part and given in full") {
  BytesMemory memory;
  std::array<pollfd, 12> polled{};
  for (std::size_t i = 0; i < polled.size(); ++i) polled[i].fd = static_cast<int>(i) + 10;
  polled[1].fd = -1;
  memory.put(kPlace, polled);
  const auto call = decode(memory, CallMoment::kStopped, SYS_poll, kPlace.value(), polled.size(), 0xFFFFFFFF);
  CHECK(call.text == "poll(fd 10, fd 12, fd 13, fd 14, fd 15, fd 16, fd 17, fd 18, 3 more, no timeout)");
  CHECK(call.descriptor == 10);
  CHECK(call.further_descriptors == std::vector<int>{12, 13, 14, 15, 16, 17, 18, 19, 20, 21});
}

TEST_CASE("a path is escaped, bounded, and read up to the end of a mapping") {
  BytesMemory memory;
  std::array<char, 16> last{};
  std::memcpy(last.data(), "/tmp/\x1b[2J\"x", 12);
  memory.put(Address{0x20000 - 16}, last);
  CHECK(decode(memory, CallMoment::kStopped, SYS_openat, -100, 0x20000 - 16).text == "openat(\"/tmp/\\x1b[2J\"x\")");
  std::array<char, 8192> endless{};
  endless.fill('a');
  memory.put(Address{0x30000}, endless);
  CHECK(decode(memory, CallMoment::kStopped, SYS_openat, 5, 0x30000).text ==
        "openat(fd 5, \"" + std::string(256, 'a') + "...\")");
}

namespace {

// A thread's code and stack, in which the system call instruction ends at kBehind.
struct StoppedInCall {
  static constexpr std::uint64_t kBehind = 0x11000;
  static constexpr std::uint64_t kStack = 0x20000;
  static constexpr std::uint64_t kReturn = 0x31000;

  void put_code(std::uint64_t end, std::initializer_list<int> code) {
    std::uint64_t at = end - code.size();
    for (const int one : code) bytes[at++] = static_cast<std::byte>(one);
  }
  void put_word(std::uint64_t at, std::uint64_t word) {
    for (int i = 0; i < 8; ++i) bytes[at++] = static_cast<std::byte>(word >> 8 * i);
  }
  [[nodiscard]] std::optional<int> find() const {
    return find_restarted_call(kBehind, kStack, [this](std::uint64_t from, std::span<std::byte> into) {
      if (from < 0x10000) return false;
      for (std::byte& one : into) {
        const auto known = bytes.find(from++);
        one = known == bytes.end() ? std::byte{0x90} : known->second;
      }
      return true;
    });
  }
  std::map<std::uint64_t, std::byte> bytes;
};

}  // namespace

TEST_CASE("the call behind restart_syscall is read from the code") {
  const auto find = [](std::initializer_list<int> code) {
    StoppedInCall thread;
    thread.put_code(StoppedInCall::kBehind, code);
    return thread.find();
  };
  CHECK(find({0xB8, 7, 0, 0, 0, 0x0F, 0x05}) == SYS_poll);
  CHECK(find({0xB8, 0xE6, 0, 0, 0, 0x49, 0x89, 0xCA, 0x0F, 0x05}) == SYS_clock_nanosleep);
  CHECK_FALSE(find({0xB8, 0, 0, 0, 0, 0x0F, 0x05}));
  CHECK_FALSE(find({0xB8, 7, 0, 0, 0, 0x0F, 0x0B}));
  CHECK_FALSE(find({0x0F, 0x05}));
}

TEST_CASE("the call behind restart_syscall is read from the stack, where glibc passes it on") {
  StoppedInCall direct;  // mov rax, [rsp + 0x20]; syscall
  direct.put_code(StoppedInCall::kBehind, {0x48, 0x8B, 0x44, 0x24, 0x20, 0x0F, 0x05});
  CHECK_FALSE(direct.find());
  direct.put_word(StoppedInCall::kStack + 0x20, SYS_futex);
  CHECK(direct.find() == SYS_futex);
  direct.put_word(StoppedInCall::kStack + 0x20, SYS_read);
  CHECK_FALSE(direct.find());
  // __syscall_cancel_arch, called with mov rsi, [rsp + 0x30]; mov r8, rax; mov rdi, r10; call
  StoppedInCall through;
  through.put_code(StoppedInCall::kBehind, {0x49, 0x89, 0xFB, 0x48, 0x89, 0xF0, 0x48, 0x89, 0xD7, 0x4C, 0x89, 0x5C, 0x24, 0x08, 0x0F, 0x05});
  CHECK_FALSE(through.find());
  through.put_word(StoppedInCall::kStack, StoppedInCall::kReturn);
  through.put_code(StoppedInCall::kReturn, {0x48, 0x8B, 0x74, 0x24, 0x30, 0x49, 0x89, 0xC0, 0x4C, 0x89, 0xD7, 0xE8, 0, 0, 0, 0});
  CHECK_FALSE(through.find());
  through.put_word(StoppedInCall::kStack + 0x38, SYS_clock_nanosleep);
  CHECK(through.find() == SYS_clock_nanosleep);
  through.put_word(StoppedInCall::kStack, 0x100);  // nothing is there
  CHECK_FALSE(through.find());
}

TEST_CASE("a child in nanosleep") {
  Child child([](SharedPage&) {
    timespec request{1000, 0};
    timespec rest{};
    ::syscall(SYS_nanosleep, &request, &rest);
  });
  // Called through syscall(), whose number is not in the code: a restarted one keeps the kernel's name for it.
  auto target = LiveTarget::attach(child.pid());
  REQUIRE(target);
  REQUIRE(wait_until([&] {
    const auto threads = (*target)->read_threads();
    return threads && threads->front().state == 'S' && threads->front().system_call &&
           threads->front().system_call->number == SYS_nanosleep;
  }));
  auto freeze = (*target)->freeze(std::chrono::seconds(10));
  REQUIRE(freeze);
  const auto& call = (*freeze)->threads().front().system_call;
  REQUIRE(call);
  const auto decoded = decode_system_call(*call, (*target)->memory(), (*target)->monotonic_now());
  CHECK(decoded.text.starts_with("nanosleep(1000.0 s, "));
  REQUIRE(decoded.remaining_seconds);
  CHECK(*decoded.remaining_seconds > 0);
  CHECK(*decoded.remaining_seconds < 1000);
}

TEST_CASE("a child in a relative clock_nanosleep, stopped twice") {
  Child child([](SharedPage&) {
    timespec request{1000, 0};
    timespec rest{};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &request, &rest);
  });
  const auto decoded = decode_stopped(child, SYS_clock_nanosleep);
  CHECK(decoded.text.starts_with("clock_nanosleep(CLOCK_MONOTONIC, 1000.0 s, "));
  REQUIRE(decoded.remaining_seconds);
  CHECK(*decoded.remaining_seconds < 1000);
}

TEST_CASE("a child that sleeps until a time") {
  Child child([](SharedPage&) {
    timespec deadline{};
    ::clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += 1000;
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr);
  });
  const auto decoded = decode_stopped(child, SYS_clock_nanosleep);
  CHECK(decoded.text.starts_with("clock_nanosleep(CLOCK_MONOTONIC, until +"));
  REQUIRE(decoded.remaining_seconds);
  CHECK(*decoded.remaining_seconds > 0);
  CHECK(*decoded.remaining_seconds < 1000);
}

TEST_CASE("children in poll, select and read on a pipe") {
  Pipe pipe;
  const int end = pipe.ends[0];
  SECTION("poll with a timeout, stopped twice") {
    Child child([&](SharedPage&) {
      pollfd one{end, POLLIN, 0};
      ::poll(&one, 1, 600'000);
    });
    const auto decoded = decode_stopped(child, SYS_poll);
    CHECK(decoded.text == fmt::format("poll(fd {}, timeout 600.0 s)", end));
    CHECK(decoded.descriptor == end);
  }
  SECTION("select, whose rest the kernel writes down") {
    Child child([&](SharedPage&) {
      fd_set set;
      FD_ZERO(&set);
      FD_SET(end, &set);
      timeval timeout{1000, 0};
      ::syscall(SYS_select, end + 1, &set, nullptr, nullptr, &timeout);
    });
    const auto decoded = decode_stopped(child, SYS_select);
    CHECK(decoded.text.starts_with(fmt::format("select(fd {}, ", end)));
    CHECK(decoded.text.ends_with(" left)"));
    REQUIRE(decoded.remaining_seconds);
    CHECK(*decoded.remaining_seconds < 1000);
  }
  SECTION("read") {
    Child child([&](SharedPage&) {
      char byte = 0;
      (void)!::read(end, &byte, 1);
    });
    CHECK(decode_stopped(child, SYS_read).text == fmt::format("read(fd {})", end));
  }
}

TEST_CASE("a child that connects to a server which does not accept") {
  const FileDescriptor server(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(server.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(server.get(), 0) == 0);
  REQUIRE(::getsockname(server.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  // Fills the queue of connections that wait to be accepted.
  std::vector<FileDescriptor> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    (void)::connect(waiting.back().get(), reinterpret_cast<sockaddr*>(&address), size);
  }
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  const FileDescriptor close_later(client);
  Child child([&](SharedPage&) { (void)::connect(client, reinterpret_cast<sockaddr*>(&address), size); });
  const auto decoded = decode_stopped(child, SYS_connect);
  CHECK(decoded.text == fmt::format("connect(fd {}, 127.0.0.1:{})", client, ntohs(address.sin_port)));
  CHECK(decoded.descriptor == client);
  auto target = LiveTarget::attach(child.pid());
  REQUIRE(target);
  const auto descriptors = (*target)->read_descriptors({client});
  CHECK(descriptors.at(0).tcp_state == "SYN_SENT");
}

TEST_CASE("a child that waits for a futex") {
  Child child([](SharedPage& shared) { ::syscall(SYS_futex, &shared.counter, FUTEX_WAIT, 0, nullptr, nullptr, 0); });
  const auto decoded = decode_stopped(child, SYS_futex);
  const auto word = reinterpret_cast<std::uint64_t>(&child.shared().counter);
  CHECK(decoded.text == fmt::format("futex(FUTEX_WAIT, {:#x}, no timeout)", word));
  CHECK(decoded.object == Address{word});
}

TEST_CASE("a child that waits for a file lock") {
  std::array<char, 32> path{"/tmp/asyncspy-lock-XXXXXX"};
  const FileDescriptor file(::mkstemp(path.data()));
  REQUIRE(file);
  REQUIRE(::flock(file.get(), LOCK_EX) == 0);
  const int own = ::open(path.data(), O_RDWR | O_CLOEXEC);  // a lock of its own, not the one of `file`
  const FileDescriptor close_later(own);
  Child child([&](SharedPage&) { ::flock(own, LOCK_EX); });
  CHECK(decode_stopped(child, SYS_flock).text == fmt::format("flock(fd {}, LOCK_EX)", own));
  ::unlink(path.data());
}

}  // namespace asyncspy
