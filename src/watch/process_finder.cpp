#include "process_finder.h"

#include <algorithm>

#include "procfs.h"
#include "python_processes.h"

namespace asyncspy {
namespace {

constexpr double kYoung = 10;             // seconds since it was first seen
constexpr double kExamineInterval = 30;   // seconds, of one that is not young

}  // namespace

ProcessFinder::ProcessFinder(const WatchSettings& settings) : settings_(settings) {
  if (!settings.pattern.empty()) pattern_.emplace(settings.pattern, std::regex::extended | std::regex::nosubs);
}

bool ProcessFinder::examine(int pid) const {
  const auto candidate = examine_process(pid);
  if (!candidate) return false;
  if (settings_.all) return true;
  std::string command;
  for (const std::string& argument : candidate->command_line) command += (command.empty() ? "" : " ") + argument;
  constexpr std::size_t kMostCharacters = 2048;  // std::regex recurses over what it reads
  return std::regex_search(command.substr(0, kMostCharacters), *pattern_);
}

std::vector<int> ProcessFinder::find(double now) {
  std::vector<int> wanted = settings_.pids;
  if (settings_.all || pattern_) {
    const std::vector<int> pids = list_processes();
    std::erase_if(known_, [&](const auto& each) { return !std::ranges::binary_search(pids, each.first); });
    for (const int pid : pids) {
      const auto [place, is_new] = known_.try_emplace(pid);
      Known& known = place->second;
      if (!is_new && now < known.examine_at) {
        if (known.is_wanted) wanted.push_back(pid);
        continue;
      }
      const auto stat = read_process_stat(std::to_string(pid));
      if (!stat) continue;
      if (is_new || stat->start_ns != known.start_ns) known = {stat->start_ns, false, now, now};
      known.is_wanted = !stat->kernel_thread && stat->state != 'Z' && examine(pid);
      known.examine_at = stat->kernel_thread ? now + kExamineInterval : now < known.first_seen + kYoung ? now : now + kExamineInterval;
      if (known.is_wanted) wanted.push_back(pid);
    }
  }
  std::ranges::sort(wanted);
  const auto again = std::ranges::unique(wanted);
  wanted.erase(again.begin(), again.end());
  return wanted;
}

}  // namespace asyncspy
