// Which frames of a walk one call of the evaluation loop executes.
//
// From 3.12 on such a call puts a frame of its own below those that it executes; 3.11 and 3.12 link the calls by their
// cframes; before, each frame has a call of its own.
#pragma once

#include <vector>

#include "frame_run.h"
#include "frames.h"

namespace asyncspy {

// Divides the frames of a walk, which comes from the innermost one, into runs.
class RunDivision {
 public:
  // `cframe`: the thread's innermost one, or null.
  RunDivision(const Inspection& inspection, Address cframe);

  // The next frame of the walk, and whether a stack shows it.
  void pass(const RawFrame& raw, bool is_shown);

  // Outermost first.
  [[nodiscard]] std::vector<FrameRun> finish();

 private:
  void close(Address anchor);
  void begin_cframe();
  void find_start();

  const Inspection& inspection_;
  Address cframe_;   // that of the next run
  Address start_;    // the frame that it names
  Address current_;  // that of this run
  bool has_cframes_ = false;
  bool has_shims_ = false;
  std::uint32_t passed_ = 0;
  std::uint32_t shown_ = 0;
  std::vector<FrameRun> runs_;
};

}  // namespace asyncspy
