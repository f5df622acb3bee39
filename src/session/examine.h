// What stands in the way of reading a process, step by step: for `asyncspy doctor`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "runtime.h"
#include "target.h"

namespace asyncspy {

struct ExaminationStep {
  enum class Outcome : std::uint8_t { kGood, kNote, kBad };
  Outcome outcome = Outcome::kGood;
  std::string subject;
  std::string text;
  std::string hint;  // what to do about it, or empty
};

struct Examination {
  std::vector<ExaminationStep> steps;
  std::optional<Runtime> runtime;  // with its layout, origins and self-checks
  std::optional<Error> error;      // the first thing that prevents a dump
};

// Never fails: a failure is a step. Stops the process for a moment unless told not to.
[[nodiscard]] Examination examine(Target& target, bool may_stop, std::chrono::milliseconds max_pause);

}  // namespace asyncspy
