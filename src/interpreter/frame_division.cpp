#include "frame_division.h"

#include <algorithm>

namespace asyncspy {

RunDivision::RunDivision(const Inspection& inspection, Address cframe) : inspection_(inspection), cframe_(cframe) {
  if (!inspection.layout().cframe.previous.present()) cframe_ = {};
  has_cframes_ = !cframe_.is_null();
  has_shims_ = !has_cframes_ && inspection.layout().first_shim_owner < 127;
  find_start();
}

void RunDivision::pass(const RawFrame& raw, bool is_shown) {
  if (!has_shims_ && !has_cframes_) {
    runs_.push_back({is_shown ? 1U : 0U, {}});
  } else if (raw.is_shim) {
    // The thread's own base frame ends the chain, and is of no call.
    if (has_shims_ && (passed_ > 0 || !raw.previous.is_null())) close(raw.address);
  } else {
    if (has_cframes_ && raw.address == start_) begin_cframe();
    ++passed_;
    if (is_shown) ++shown_;
  }
}

std::vector<FrameRun> RunDivision::finish() {
  if (passed_ > 0) close(has_cframes_ ? current_ : Address{});
  std::reverse(runs_.begin(), runs_.end());
  return std::move(runs_);
}

void RunDivision::close(Address anchor) {
  runs_.push_back({shown_, anchor});
  passed_ = shown_ = 0;
}

// The innermost frame of a run is the one that its cframe names.
void RunDivision::begin_cframe() {
  if (passed_ > 0) close(current_);
  current_ = cframe_;
  cframe_ = inspection_.reader.read(cframe_, inspection_.layout().cframe.previous).value_or(Address{});
  find_start();
}

void RunDivision::find_start() {
  start_ = {};
  if (!cframe_.is_null()) start_ = inspection_.reader.read(cframe_, inspection_.layout().cframe.current_frame).value_or(Address{});
}

}  // namespace asyncspy
