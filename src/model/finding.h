// A statement about what is wrong, with what it rests on.
#pragma once

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

struct Finding {
  std::string rule;  // "P01"
  Severity severity = Severity::kWarning;
  Confidence confidence = Confidence::kSuspected;
  std::string sentence;
  std::vector<Address> tasks;
  std::vector<int> threads;  // tids
  std::vector<std::string> evidence;
  std::string fix;
};

}  // namespace asyncspy
