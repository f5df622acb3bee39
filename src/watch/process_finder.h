// Which processes are to be watched, as they come and go. Each process is examined once, and again as long as it is young or has
// not turned out to be Python, since what runs in it may still change.
#pragma once

#include <map>
#include <regex>
#include <vector>

#include "watch_settings.h"

namespace asyncspy {

class ProcessFinder {
 public:
  // `settings` must outlive this; its pattern is valid.
  explicit ProcessFinder(const WatchSettings& settings);

  // Those that are wanted now, by ascending pid.
  [[nodiscard]] std::vector<int> find(double now);

 private:
  struct Known {
    std::uint64_t start_ns = 0;
    bool is_wanted = false;
    double first_seen = 0;
    double examine_at = 0;
  };

  [[nodiscard]] bool examine(int pid) const;

  const WatchSettings& settings_;
  std::optional<std::regex> pattern_;
  std::map<int, Known> known_;
};

}  // namespace asyncspy
