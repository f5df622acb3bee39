// What `asyncspy watch` saw before and while it took a report: why it was taken, and the samples before that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "address.h"
#include "light_sample.h"

namespace asyncspy {

enum class IncidentTrigger : std::uint8_t {
  kStall,    // a loop stays in one step
  kLag,      // a loop goes on, but late
  kPending,  // a task waits at one place
  kGrowth,   // tasks become more and more
  kFinding,  // something is proven to be wrong
  kSignal,   // somebody asked for it with a signal
  kRequest,  // or over HTTP
};

struct IncidentSample {
  double seconds = 0;  // relative to the moment of the incident, negative before it
  LightLoop loop;
};

struct Incident {
  std::uint64_t id = 0;          // counted from 1 in one run of asyncspy
  IncidentTrigger trigger = IncidentTrigger::kSignal;
  std::int64_t detected_ns = 0;  // Unix time
  Address loop;                  // null: it is about no loop
  std::optional<double> seconds;     // it had lasted so long by then, a lower bound
  std::optional<LightFrame> culprit; // the innermost frame of the program's own code at that moment
  Address task;                      // that was executed, or that waits; null: none
  std::string cause;                 // equal for equal causes
  std::vector<IncidentSample> samples;  // of the loop, or of all loops when it is about none; the latest last
};

}  // namespace asyncspy
