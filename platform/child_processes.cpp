#include "child_processes.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "procfs.h"
#include "system_files.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostChildren = 10'000;
constexpr std::size_t kMostCommand = 4096;  // bytes of a child's arguments that are kept

std::vector<int> parse_numbers(std::string_view text) {
  std::vector<int> numbers;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    int number = 0;
    auto [next, error] = std::from_chars(at, end, number);
    if (error == std::errc{}) numbers.push_back(number);
    at = next + 1;
  }
  return numbers;
}

ChildProcess describe(int pid, const ProcessStat& stat) {
  ChildProcess child;
  child.pid = pid;
  child.state = stat.state;
  child.name = stat.name;
  const std::string path = std::to_string(pid);
  if (auto status = read_process_status(path); status && !status->namespace_pids.empty()) child.namespace_pid = status->namespace_pids.back();
  if (const FileText file = read_system_file("/proc/" + path + "/cmdline"); file.ok) {
    for (const std::string& argument : parse_command_line(file.text)) {
      if (child.command.size() + argument.size() > kMostCommand) break;
      child.command += (child.command.empty() ? "" : " ") + argument;
    }
  }
  return child;
}

}  // namespace

std::vector<ChildProcess> read_child_processes(int pid) {
  std::vector<ChildProcess> children;
  for (int tid : read_thread_ids(pid)) {  // the kernel keeps them with the thread that created them
    const FileText file = read_system_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/children");
    if (!file.ok) continue;
    for (int child : parse_numbers(file.text)) {
      if (children.size() >= kMostChildren) break;
      if (auto stat = read_process_stat(std::to_string(child))) children.push_back(describe(child, *stat));
    }
  }
  std::ranges::sort(children, {}, &ChildProcess::pid);
  return children;
}

}  // namespace asyncspy
