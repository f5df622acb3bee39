// What `asyncspy watch` is to look for, how often, and what it may leave behind. Times are in seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace asyncspy {

struct HttpAddress {
  std::string host;
  std::uint16_t port = 0;  // 0: any that is free
};

struct RetentionLimits {
  std::uint64_t files = 100;
  std::uint64_t bytes = std::uint64_t{1} << 30;
  double age = 7 * 86'400.0;
};

struct WatchSettings {
  std::vector<int> pids;
  std::string pattern;  // of command lines; empty: none
  bool all = false;     // every Python process

  double interval = 0.05;  // from one look at a loop to the next
  double stall = 1;        // in one step; 0: no matter
  double lag = 5;          // late, though the loop goes on; 0: no matter
  double pending = 0;      // of a task at one place; 0: no matter
  std::uint64_t growth = 0;  // tasks more over several surveys; 0: no matter
  double survey = 60;      // from one full look to the next; 0: none

  std::string directory = "asyncspy-incidents";
  RetentionLimits keep;
  double files_a_minute = 6;  // for each target; 0: no limit
  double same_cause = 600;    // no other file of the same cause for so long
  double ring = 10;           // samples of so long before an incident are kept with it

  std::optional<HttpAddress> listen;
  bool no_pause = false;
  std::chrono::milliseconds max_pause{250};
  std::string tool_version;
};

}  // namespace asyncspy
