// What is known of the watched processes, in the text format of Prometheus.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "control_groups.h"
#include "incident.h"
#include "survey.h"
#include "target_watch.h"

namespace asyncspy {

inline constexpr std::size_t kTriggers = static_cast<std::size_t>(IncidentTrigger::kRequest) + 1;

struct TargetMetrics {
  int pid = 0;
  std::string command;
  ContainerNames names;
  bool up = false;                // it can be read
  TargetCounts counts;
  double stalled_seconds = 0;     // of all stalls, those that last included
  std::uint64_t ready = 0;
  SurveyFacts facts;              // of the last full look
  std::array<std::uint64_t, kTriggers> incidents{};
  double pause_seconds = 0;       // that it stood still for full looks
};

struct OwnMetrics {
  std::string version;
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
};

[[nodiscard]] std::string render_metrics(const std::vector<TargetMetrics>& targets, const OwnMetrics& own);

}  // namespace asyncspy
