// Which incidents get a file: not each time the same cause does, and not more than so many a minute. Pure.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "incident.h"
#include "watch_settings.h"

namespace asyncspy {

class IncidentGate {
 public:
  // `settings` must outlive this.
  explicit IncidentGate(const WatchSettings& settings) : settings_(settings) {}

  // Nothing: it gets one, and that is counted. Else why it does not: "same_cause" or "rate". What somebody asked for always does.
  // `command`: of the process, so that its workers and its successor count as one.
  [[nodiscard]] std::optional<std::string_view> refuse(double now, int pid, const std::string& command, const Incident& incident);

 private:
  static constexpr std::size_t kMostCauses = 10'000;

  const WatchSettings& settings_;
  std::map<std::string, double> causes_;           // when each last got a file
  std::map<int, std::deque<double>> files_;        // of the last minute, by process
};

}  // namespace asyncspy
