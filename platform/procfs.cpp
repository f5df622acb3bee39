#include "procfs.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "field_reader.h"
#include "memory.h"
#include "system_files.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kNanoseconds = 1'000'000'000;
constexpr std::uint32_t kKernelThreadFlag = 0x00200000;  // PF_KTHREAD, include/linux/sched.h
constexpr std::size_t kMostThreads = 1 << 20;

std::uint64_t system_ticks_per_second() {
  static const long ticks = ::sysconf(_SC_CLK_TCK);
  return ticks > 0 ? static_cast<std::uint64_t>(ticks) : 100;
}

std::uint64_t ticks_to_ns(std::uint64_t ticks, std::uint64_t ticks_per_second) {
  return ticks / ticks_per_second * kNanoseconds + ticks % ticks_per_second * (kNanoseconds / ticks_per_second);
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text, std::uint64_t ticks_per_second) {
  // The name may hold anything, even ") R ("; but nothing behind it holds a parenthesis.
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessStat stat;
  FieldReader head(text.substr(0, open));
  stat.pid = head.number<int>();
  stat.name = text.substr(open + 1, close - open - 1);
  FieldReader fields(text.substr(close + 1));
  const std::string_view state = fields.word();
  stat.parent = fields.number<int>();
  fields.skip_words(4);  // group, session, terminal, foreground group
  stat.kernel_thread = (fields.number<std::uint32_t>() & kKernelThreadFlag) != 0;
  fields.skip_words(4);  // faults
  const auto user_ticks = fields.number<std::uint64_t>();
  const auto system_ticks = fields.number<std::uint64_t>();
  fields.skip_words(6);  // children's times, priority, nice, threads, interval timer
  const auto start_ticks = fields.number<std::uint64_t>();
  fields.skip_words(1);  // virtual size
  const auto resident_pages = fields.number<std::int64_t>();
  if (!head.ok() || !fields.ok() || state.size() != 1) return std::nullopt;
  stat.state = state[0];
  stat.cpu_time_ns = ticks_to_ns(user_ticks + system_ticks, ticks_per_second);
  stat.start_ns = ticks_to_ns(start_ticks, ticks_per_second);
  stat.resident_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(resident_pages, 0)) * kPageSize;
  return stat;
}

ProcessStatus parse_process_status(std::string_view text) {
  ProcessStatus status;
  for_each_line(text, [&](std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view key = line.substr(0, colon);
    FieldReader fields(line.substr(colon + 1));
    if (key == "Tgid") {
      status.process = fields.number<int>();
    } else if (key == "PPid") {
      status.parent = fields.number<int>();
    } else if (key == "TracerPid") {
      status.tracer = fields.number<int>();
    } else if (key == "Uid") {
      fields.word();  // real
      status.user_id = fields.number<std::uint32_t>();
    } else if (key == "RssAnon") {
      status.private_bytes = fields.number<std::uint64_t>() * 1024;
    } else if (key == "voluntary_ctxt_switches" || key == "nonvoluntary_ctxt_switches") {
      status.context_switches += fields.number<std::uint64_t>();
    } else if (key == "NSpid") {
      for (int pid = fields.number<int>(); fields.ok(); pid = fields.number<int>()) {
        status.namespace_pids.push_back(pid);
      }
    }
  });
  return status;
}

std::optional<SystemCallLine> parse_system_call_line(std::string_view text) {
  if (text.starts_with("running")) return std::nullopt;
  FieldReader fields(text);
  SystemCallLine line;
  SystemCall call;
  call.number = fields.number<int>();
  if (fields.ok() && call.number >= 0) {
    for (std::uint64_t& argument : call.arguments) argument = fields.number<std::uint64_t>(16);
    line.call = call;
  }
  line.stack_pointer = fields.number<std::uint64_t>(16);
  line.instruction_pointer = fields.number<std::uint64_t>(16);
  if (!fields.ok()) return std::nullopt;
  return line;
}

std::vector<std::string> parse_command_line(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return words;
}

std::int64_t parse_monotonic_offset(std::string_view text) {
  std::int64_t offset = 0;
  for_each_line(text, [&](std::string_view line) {
    FieldReader fields(line);
    // Some kernels print the clock's number instead: 1 is CLOCK_MONOTONIC.
    const std::string_view clock = fields.word();
    if (clock != "monotonic" && clock != "1") return;
    const auto seconds = fields.number<std::int64_t>();
    const auto nanoseconds = fields.number<std::int64_t>();
    constexpr std::int64_t kMostSeconds = 1'000'000'000;
    if (fields.ok() && seconds > -kMostSeconds && seconds < kMostSeconds) {
      offset = seconds * static_cast<std::int64_t>(kNanoseconds) + nanoseconds;
    }
  });
  return offset;
}

std::optional<ProcessStat> read_process_stat(const std::string& path) {
  const FileText file = read_system_file(fmt::format("/proc/{}/stat", path));
  if (!file.ok) return std::nullopt;
  return parse_process_stat(file.text, system_ticks_per_second());
}

std::optional<ProcessStatus> read_process_status(const std::string& path) {
  const FileText file = read_system_file(fmt::format("/proc/{}/status", path));
  if (!file.ok) return std::nullopt;
  return parse_process_status(file.text);
}

std::vector<int> read_thread_ids(int pid) {
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> directory(::opendir(fmt::format("/proc/{}/task", pid).c_str()));
  std::vector<int> tids;
  if (!directory) return tids;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    int tid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), tid);
    if (error != std::errc{} || end != name.data() + name.size()) continue;
    if (tids.size() == kMostThreads) break;
    tids.push_back(tid);
  }
  return tids;
}

std::optional<ThreadFacts> read_thread_facts(int pid, int tid, bool own_pid_namespace) {
  const std::string path = fmt::format("{}/task/{}", pid, tid);
  auto stat = read_process_stat(path);
  if (!stat) return std::nullopt;
  ThreadFacts facts;
  facts.tid = tid;
  facts.namespace_tid = tid;
  facts.name = std::move(stat->name);
  facts.state = stat->state;
  facts.cpu_time_ns = stat->cpu_time_ns;
  // The scheduler's own count is exact where the other one is in ticks of 10 ms.
  const FileText schedule = read_system_file(fmt::format("/proc/{}/schedstat", path));
  FieldReader fields(schedule.text);
  const auto run_ns = fields.number<std::uint64_t>();
  if (schedule.ok && fields.ok() && run_ns > 0) facts.cpu_time_ns = run_ns;
  if (own_pid_namespace) {
    const auto status = read_process_status(path);
    if (status && !status->namespace_pids.empty()) facts.namespace_tid = status->namespace_pids.back();
  }
  return facts;
}

std::int64_t read_monotonic_lead(int pid) {
  const std::string theirs = read_system_link(fmt::format("/proc/{}/ns/time", pid));
  if (theirs.empty() || theirs == read_system_link("/proc/self/ns/time")) return 0;
  const FileText target = read_system_file(fmt::format("/proc/{}/timens_offsets", pid));
  const FileText own = read_system_file("/proc/self/timens_offsets");
  return parse_monotonic_offset(target.text) - parse_monotonic_offset(own.text);
}

}  // namespace asyncspy
