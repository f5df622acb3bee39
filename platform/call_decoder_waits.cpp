#include <fmt/format.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "call_decoder.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kMostPolled = 1024;       // descriptors read from the target
constexpr std::size_t kMostListed = 8;            // of these in the text
constexpr std::uint64_t kMostSelected = 4096;     // bits of a set that are looked at
constexpr std::int64_t kMostSeconds = 1LL << 33;  // beyond is garbage

constexpr std::array kFutexOperations = std::to_array<std::string_view>(
    {"FUTEX_WAIT", "FUTEX_WAKE", "FUTEX_FD", "FUTEX_REQUEUE", "FUTEX_CMP_REQUEUE", "FUTEX_WAKE_OP", "FUTEX_LOCK_PI",
     "FUTEX_UNLOCK_PI", "FUTEX_TRYLOCK_PI", "FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET", "FUTEX_WAIT_REQUEUE_PI",
     "FUTEX_CMP_REQUEUE_PI", "FUTEX_LOCK_PI2"});

std::string clock_name(int clock) {
  if (clock == CLOCK_REALTIME) return "CLOCK_REALTIME";
  if (clock == CLOCK_MONOTONIC) return "CLOCK_MONOTONIC";
  if (clock == CLOCK_BOOTTIME) return "CLOCK_BOOTTIME";
  if (clock == CLOCK_TAI) return "CLOCK_TAI";
  return fmt::format("clock {}", clock);
}

}  // namespace

std::optional<double> CallDecoder::read_time(Address at, Unit unit) {
  const auto parts = memory_.read_value<std::array<std::int64_t, 2>>(at);
  if (!parts) return std::nullopt;
  const auto [seconds, fraction] = *parts;
  const std::int64_t whole = unit == Unit::kNanoseconds ? 1'000'000'000 : 1'000'000;
  if (seconds < 0 || seconds > kMostSeconds || fraction < 0 || fraction >= whole) return std::nullopt;
  return static_cast<double>(seconds) + static_cast<double>(fraction) / static_cast<double>(whole);
}

void CallDecoder::add_milliseconds(int timeout) {
  add(timeout < 0 ? "no timeout" : fmt::format("timeout {}", format_seconds(timeout / 1e3)));
}

void CallDecoder::add_relative(Address at, Unit unit, bool rest_is_written) {
  if (at.is_null()) {
    add("no timeout");
    return;
  }
  const auto seconds = read_time(at, unit);
  if (!seconds) {
    add("timeout unreadable");
  } else if (rest_is_written && moment_ == CallMoment::kStopped) {
    decoded_.remaining_seconds = *seconds;
    add(fmt::format("{} left", format_seconds(*seconds)));
  } else {
    add(fmt::format("timeout {}", format_seconds(*seconds)));
  }
}

void CallDecoder::add_absolute(Address at, int clock, bool name_clock) {
  if (name_clock) add(clock_name(clock));
  if (at.is_null()) {
    add("no timeout");
    return;
  }
  const auto deadline = read_time(at, Unit::kNanoseconds);
  if (!deadline) {
    add("timeout unreadable");
  } else if (clock == CLOCK_MONOTONIC && monotonic_now_ns_ != 0) {
    // Only the monotonic clock of the target's moment is known here; it may have been long ago.
    const double left = *deadline - static_cast<double>(monotonic_now_ns_) / 1e9;
    decoded_.remaining_seconds = left;
    add(fmt::format("until {}{}", left < 0 ? "" : "+", format_seconds(left)));
  } else {
    add(fmt::format("until {}{:.3f}", name_clock ? "" : clock_name(clock) + " ", *deadline));
  }
}

void CallDecoder::add_sleep(Address request, Address rest) {
  const bool rest_is_written = moment_ == CallMoment::kStopped && !rest.is_null();
  const auto whole = read_time(request, Unit::kNanoseconds);
  const auto left = rest_is_written ? read_time(rest, Unit::kNanoseconds) : std::nullopt;
  if (left) decoded_.remaining_seconds = *left;
  // sleep() lets the kernel write the rest over the request: then the whole is not known any more.
  if (!whole) {
    add("time unreadable");
  } else if (!rest_is_written || rest != request) {
    add(format_seconds(*whole));
  }
  if (left) add(fmt::format("{} left", format_seconds(*left)));
}

void CallDecoder::add_descriptor_list(const std::vector<int>& descriptors, std::uint64_t not_listed) {
  if (descriptors.empty() && not_listed == 0) add("no descriptors");
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    add_descriptor(descriptors[i]);
    if (i >= kMostListed) words_.pop_back();
  }
  if (descriptors.size() > kMostListed) not_listed += descriptors.size() - kMostListed;
  if (not_listed > 0) add(fmt::format("{} more", not_listed));
}

void CallDecoder::add_poll_descriptors() {
  const std::uint64_t total = argument(1) & 0xFFFFFFFF;
  std::vector<pollfd> polled(std::min(total, kMostPolled));
  if (!polled.empty() && !memory_.read(address(0), std::as_writable_bytes(std::span(polled)))) {
    add("descriptors unreadable");
    return;
  }
  std::vector<int> descriptors;
  for (const pollfd& one : polled) {
    if (one.fd >= 0) descriptors.push_back(one.fd);  // negative: to be passed over
  }
  add_descriptor_list(descriptors, total - polled.size());
}

void CallDecoder::add_select_descriptors() {
  const auto highest = static_cast<std::uint64_t>(std::max(number(0), 0));
  const std::size_t words = (std::min(highest, kMostSelected) + 63) / 64;
  std::vector<std::uint64_t> any(words, 0);
  bool unreadable = false;
  for (const std::size_t set : {1, 2, 3}) {
    if (address(set).is_null() || words == 0) continue;
    std::vector<std::uint64_t> bits(words);
    if (!memory_.read(address(set), std::as_writable_bytes(std::span(bits)))) {
      unreadable = true;
      continue;
    }
    for (std::size_t i = 0; i < words; ++i) any[i] |= bits[i];
  }
  std::vector<int> descriptors;
  for (std::uint64_t i = 0; i < std::min(highest, kMostSelected); ++i) {
    if ((any[i / 64] >> (i % 64) & 1) != 0) descriptors.push_back(static_cast<int>(i));
  }
  if (!unreadable || !descriptors.empty()) add_descriptor_list(descriptors, 0);
  if (unreadable) add("descriptors unreadable");
}

void CallDecoder::on_poll() {
  add_poll_descriptors();
  add_milliseconds(number(2));
}

void CallDecoder::on_ppoll() {
  add_poll_descriptors();
  add_relative(address(2), Unit::kNanoseconds, true);
}

void CallDecoder::on_select() {
  add_select_descriptors();
  add_relative(address(4), Unit::kMicroseconds, true);
}

void CallDecoder::on_pselect() {
  add_select_descriptors();
  add_relative(address(4), Unit::kNanoseconds, true);
}

void CallDecoder::on_epoll() {
  add_descriptor(number(0));
  add_milliseconds(number(3));
}

void CallDecoder::on_epoll_timespec() {
  add_descriptor(number(0));
  add_relative(address(3), Unit::kNanoseconds, false);
}

void CallDecoder::on_nanosleep() { add_sleep(address(0), address(1)); }

void CallDecoder::on_clock_nanosleep() {
  if ((number(1) & TIMER_ABSTIME) != 0) {
    add_absolute(address(2), number(0), true);
    return;
  }
  add(clock_name(number(0)));
  add_sleep(address(2), address(3));
}

void CallDecoder::on_futex() {
  const auto operation = static_cast<std::uint32_t>(argument(1) & FUTEX_CMD_MASK);
  const bool known = operation < kFutexOperations.size();
  add(known ? std::string(kFutexOperations[operation]) : fmt::format("operation {}", operation));
  decoded_.object = address(0);
  add(fmt::format("{:#x}", address(0).value()));
  const bool real_time = (argument(1) & FUTEX_CLOCK_REALTIME) != 0 || operation == FUTEX_LOCK_PI;
  if (operation == FUTEX_WAIT) {
    add_relative(address(3), Unit::kNanoseconds, false);
  } else if (operation == FUTEX_WAIT_BITSET || operation == FUTEX_WAIT_REQUEUE_PI || operation == FUTEX_LOCK_PI ||
             operation == FUTEX_LOCK_PI2) {
    add_absolute(address(3), real_time ? CLOCK_REALTIME : CLOCK_MONOTONIC, false);
  }
}

void CallDecoder::on_wait4() {
  const int which = number(0);
  if (which > 0) {
    add(fmt::format("pid {}", which));
  } else if (which == -1) {
    add("any child");
  } else {
    add(which == 0 ? "own process group" : fmt::format("process group {}", -static_cast<std::int64_t>(which)));
  }
}

void CallDecoder::on_waitid() {
  const int kind = number(0);
  if (kind == P_PIDFD) {
    add_descriptor(number(1));
  } else if (kind == P_PID) {
    add(fmt::format("pid {}", number(1)));
  } else {
    add(kind == P_PGID ? fmt::format("process group {}", number(1)) : "any child");
  }
}

void CallDecoder::on_signal_wait() { add_relative(address(2), Unit::kNanoseconds, false); }

void CallDecoder::on_semaphores() { add(fmt::format("set {}", number(0))); }

void CallDecoder::on_semaphores_timed() {
  add(fmt::format("set {}", number(0)));
  add_relative(address(3), Unit::kNanoseconds, false);
}

void CallDecoder::on_random() { add(fmt::format("{} bytes", argument(1))); }

}  // namespace asyncspy
