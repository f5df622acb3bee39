// Reads the arguments of one system call and puts them into words. The part behind decode_system_call (system_calls.h):
// one member function per family of calls, chosen by a table of numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "memory.h"
#include "process_facts.h"
#include "system_calls.h"

namespace asyncspy {

class CallDecoder {
 public:
  CallDecoder(const SystemCall& call, Memory& memory, std::int64_t monotonic_now_ns, CallMoment moment)
      : call_(call), memory_(memory), monotonic_now_ns_(monotonic_now_ns), moment_(moment) {}

  [[nodiscard]] DecodedCall decode();

 private:
  using Handler = void (CallDecoder::*)();
  struct Row {
    int number;
    Handler handler;
  };
  [[nodiscard]] static Handler find_handler(int number);

  // Calls on descriptors (call_decoder_descriptors.cpp).
  void on_descriptor();
  void on_two_descriptors();
  void on_connect();
  void on_send_to();
  void on_copy_between();
  void on_flock();
  void on_fcntl();
  void on_path();
  void on_path_at();
  void on_ring();

  // Calls that wait (call_decoder_waits.cpp).
  void on_poll();
  void on_ppoll();
  void on_select();
  void on_pselect();
  void on_epoll();
  void on_epoll_timespec();
  void on_nanosleep();
  void on_clock_nanosleep();
  void on_futex();
  void on_wait4();
  void on_waitid();
  void on_signal_wait();
  void on_semaphores();
  void on_semaphores_timed();
  void on_random();
  void on_no_arguments();
  void on_anything();

  [[nodiscard]] std::uint64_t argument(std::size_t i) const { return call_.arguments[i]; }
  [[nodiscard]] int number(std::size_t i) const { return static_cast<int>(call_.arguments[i]); }
  [[nodiscard]] Address address(std::size_t i) const { return Address{call_.arguments[i]}; }

  void add(std::string word) { words_.push_back(std::move(word)); }
  void add_descriptor(int descriptor);
  void add_descriptor_list(const std::vector<int>& descriptors, std::uint64_t not_listed);
  void add_poll_descriptors();
  void add_select_descriptors();
  void add_socket_address(Address at, std::uint64_t size);
  void add_path(Address at);
  void add_milliseconds(int timeout);

  enum class Unit { kNanoseconds, kMicroseconds };  // timespec, timeval
  // A relative time. With `rest_is_written` a stop has replaced it by what is left.
  void add_relative(Address at, Unit unit, bool rest_is_written);
  void add_absolute(Address at, int clock, bool name_clock);
  void add_sleep(Address request, Address rest);
  [[nodiscard]] std::optional<double> read_time(Address at, Unit unit);

  SystemCall call_;
  Memory& memory_;
  std::int64_t monotonic_now_ns_;
  CallMoment moment_;
  DecodedCall decoded_;
  std::vector<std::string> words_;
};

}  // namespace asyncspy
