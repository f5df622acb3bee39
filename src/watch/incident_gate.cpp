#include "incident_gate.h"

#include <algorithm>

namespace asyncspy {

std::optional<std::string_view> IncidentGate::refuse(double now, int pid, const std::string& command, const Incident& incident) {
  constexpr double kMinute = 60;
  if (incident.trigger == IncidentTrigger::kSignal || incident.trigger == IncidentTrigger::kRequest) return std::nullopt;
  std::erase_if(causes_, [&](const auto& each) { return now - each.second >= settings_.same_cause; });
  const std::string key = command + '\n' + incident.cause;
  if (settings_.same_cause > 0 && causes_.contains(key)) return "same_cause";
  if (settings_.files_a_minute > 0) {
    for (auto& [process, times] : files_) {
      while (!times.empty() && now - times.front() >= kMinute) times.pop_front();
    }
    std::erase_if(files_, [](const auto& each) { return each.second.empty(); });
    std::deque<double>& files = files_[pid];
    if (static_cast<double>(files.size()) >= settings_.files_a_minute) return "rate";
    files.push_back(now);
  }
  if (settings_.same_cause > 0 && causes_.size() < kMostCauses) causes_[key] = now;
  return std::nullopt;
}

}  // namespace asyncspy
