// What procfs says of a process and its threads: pure parsers, and readers that apply them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "process_facts.h"
#include "result.h"

namespace asyncspy {

// /proc/PID/stat and /proc/PID/task/TID/stat.
struct ProcessStat {
  int pid = 0;
  std::string name;  // comm: any bytes, spaces, parentheses and newlines included
  char state = '?';
  int parent = 0;
  bool kernel_thread = false;
  std::uint64_t cpu_time_ns = 0;  // user + system, in whole clock ticks
  std::uint64_t start_ns = 0;     // after boot
  std::uint64_t resident_bytes = 0;
};
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view text,
                                                            std::uint64_t ticks_per_second = 100);

// /proc/PID/status.
struct ProcessStatus {
  int process = 0;  // Tgid
  int parent = 0;
  int tracer = 0;
  std::uint32_t user_id = 0;        // effective
  std::vector<int> namespace_pids;  // NSpid: ours first, the innermost last
  std::uint64_t context_switches = 0;  // of the thread, voluntary or not
  std::uint64_t private_bytes = 0;     // resident memory of no file (RssAnon, since Linux 4.5)
};
[[nodiscard]] ProcessStatus parse_process_status(std::string_view text);

// /proc/PID/syscall of a thread that is not on a CPU.
struct SystemCallLine {
  std::optional<SystemCall> call;  // absent: it sleeps outside of any system call (a page fault)
  std::uint64_t stack_pointer = 0;
  std::uint64_t instruction_pointer = 0;
};
// Nothing when the thread runs or the text makes no sense.
[[nodiscard]] std::optional<SystemCallLine> parse_system_call_line(std::string_view text);

[[nodiscard]] std::vector<std::string> parse_command_line(std::string_view text);

// The nanoseconds on the "monotonic" line of /proc/PID/timens_offsets, 0 when there is none.
[[nodiscard]] std::int64_t parse_monotonic_offset(std::string_view text);

// Readers. `path` below /proc, for example "123/task/124".
[[nodiscard]] std::optional<ProcessStat> read_process_stat(const std::string& path);
[[nodiscard]] std::optional<ProcessStatus> read_process_status(const std::string& path);
[[nodiscard]] std::vector<int> read_thread_ids(int pid);  // empty when the process has ended

// All of a thread's facts but registers and system call. Nothing when it has ended.
[[nodiscard]] std::optional<ThreadFacts> read_thread_facts(int pid, int tid, bool own_pid_namespace);

// How far the target's CLOCK_MONOTONIC is ahead of ours (time namespaces).
[[nodiscard]] std::int64_t read_monotonic_lead(int pid);

}  // namespace asyncspy
