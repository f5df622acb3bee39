// A statement about what is wrong, with what it rests on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "address.h"

namespace asyncspy {

enum class Confidence : std::uint8_t {
  kProven,     // follows from the memory that was read; no continuation of the program can contradict it
  kObserved,   // true at the instant of the snapshot
  kSuspected,  // a pattern that is usually a bug
};

enum class Severity : std::uint8_t { kInfo, kWarning, kError };

// The place in the program's own code that a person should look at first.
struct Culprit {
  std::string function;
  std::string file;
  int line = 0;      // 0: not known
  std::string call;  // what it is in: "requests.api.get", "time.sleep", "Lock.acquire"; empty: its own code
};

struct Finding {
  std::string rule;  // "P01"
  Severity severity = Severity::kWarning;
  Confidence confidence = Confidence::kSuspected;
  std::string sentence;
  std::optional<Culprit> culprit;
  std::optional<double> at_least_seconds;  // for so long, as a lower bound
  std::vector<Address> tasks;
  std::vector<int> threads;           // tids
  std::vector<std::string> evidence;  // every fact that it rests on, with where it was read
  std::string fix;
  // It may be over in a moment, and be no fault then: one look can not tell. Not part of a stored report.
  bool momentary = false;
  std::optional<Confidence> when_confirmed;  // how sure it is once a second look has found it again
};

// Something is wrong, and that is at least as sure as `weakest`: what an exit code or a list of processes counts.
[[nodiscard]] inline bool is_alarm(const Finding& finding, Confidence weakest = Confidence::kObserved) {
  return finding.severity >= Severity::kWarning && finding.confidence <= weakest;
}

}  // namespace asyncspy
