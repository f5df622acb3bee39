#include "procfs.h"

#include "catch.h"

namespace asyncspy {

TEST_CASE("a name with parentheses, spaces and a newline does not shift the fields of stat") {
  const auto stat = parse_process_stat(
      "42 (a) R (b\n) S 7 42 42 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 3 0 123456 1000000 25 18446744073709551615 1 1\n");
  REQUIRE(stat);
  CHECK(stat->pid == 42);
  CHECK(stat->name == "a) R (b\n");
  CHECK(stat->state == 'S');
  CHECK(stat->parent == 7);
  CHECK_FALSE(stat->kernel_thread);
  CHECK(stat->cpu_time_ns == 3'000'000'000);
  CHECK(stat->start_ns == 1'234'560'000'000);
  CHECK(stat->resident_bytes == 25 * 4096);
}

TEST_CASE("a thread of the kernel is told by its flag") {
  const auto stat = parse_process_stat(
      "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 18446744073709551615 0 0 0\n");
  REQUIRE(stat);
  CHECK(stat->kernel_thread);
}

TEST_CASE("a stat that is cut short or makes no sense is nothing") {
  CHECK_FALSE(parse_process_stat(""));
  CHECK_FALSE(parse_process_stat("42 (python"));
  CHECK_FALSE(parse_process_stat(")("));
  CHECK_FALSE(parse_process_stat("42 (python) S 7 42"));
  CHECK_FALSE(parse_process_stat("x (python) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 0 0 20 0 3 0 9 1 2\n"));
}

TEST_CASE("status yields the process, its tracer and its numbers in each namespace") {
  const auto status = parse_process_status(
      "Name:\tTgid: 9\nTgid:\t100\nPid:\t101\nPPid:\t1\nTracerPid:\t55\nUid:\t1000\t1001\t1002\t1003\n"
      "NSpid:\t101\t17\t3\nVmRSS:\t   9000 kB\nRssAnon:\t    4100 kB\n");
  CHECK(status.private_bytes == 4100 * 1024);
  CHECK(status.process == 100);
  CHECK(status.parent == 1);
  CHECK(status.tracer == 55);
  CHECK(status.user_id == 1001);
  CHECK(status.namespace_pids == std::vector<int>{101, 17, 3});
}

TEST_CASE("the syscall file tells a call, a page fault and a running thread apart") {
  const auto call = parse_system_call_line("232 0x9 0x7f01 0x3 0xffffffff 0x0 0x8 0x7ffd0010 0x7f3a00aa\n");
  REQUIRE(call);
  REQUIRE(call->call);
  CHECK(call->call->number == 232);
  CHECK(call->call->arguments[3] == 0xFFFFFFFF);
  CHECK(call->instruction_pointer == 0x7f3a00aa);
  const auto fault = parse_system_call_line("-1 0x7ffd0010 0x7f3a00aa\n");
  REQUIRE(fault);
  CHECK_FALSE(fault->call);
  CHECK(fault->stack_pointer == 0x7ffd0010);
  CHECK_FALSE(parse_system_call_line("running\n"));
  CHECK_FALSE(parse_system_call_line(""));
  CHECK_FALSE(parse_system_call_line("232 0x9\n"));
}

TEST_CASE("a command line keeps empty and unterminated words") {
  using Words = std::vector<std::string>;
  CHECK(parse_command_line(std::string_view("python\0\0-c\0", 11)) == Words{"python", "", "-c"});
  CHECK(parse_command_line("renamed: worker") == Words{"renamed: worker"});
  CHECK(parse_command_line("").empty());
}

TEST_CASE("the offset of a time namespace is read in both spellings and may be negative") {
  CHECK(parse_monotonic_offset("monotonic  100 5\nboottime 7 0\n") == 100'000'000'005);
  CHECK(parse_monotonic_offset("1 -100 0\n7 7 0\n") == -100'000'000'000);
  CHECK(parse_monotonic_offset("monotonic 99999999999999 0\n") == 0);
  CHECK(parse_monotonic_offset("") == 0);
}

}  // namespace asyncspy
