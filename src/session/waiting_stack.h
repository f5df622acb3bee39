// The stack of a loop's thread while the loop waits: whatever is above that at another moment, the loop has called. For loops that
// are written in C (uvloop) and have no frame of their own.
#pragma once

#include <cstddef>
#include <vector>

#include "address.h"

namespace asyncspy {

class WaitingStack {
 public:
  // The frames of the thread, outermost first, of a sample that found the loop waiting. The thread runs on meanwhile: what it had
  // begun to call by then may be among them, so the shortest stack counts, as long as the others begin with it.
  void note_waiting(const std::vector<Address>& frames) {
    if (frames.empty() || (is_below(frames) && frames.size() >= frames_)) return;
    frames_ = frames.size();
    last_ = frames.back();
  }

  // How many of these frames were there while the loop waited; 0: not known.
  [[nodiscard]] std::size_t count_below(const std::vector<Address>& frames) const { return is_below(frames) ? frames_ : 0; }

 private:
  [[nodiscard]] bool is_below(const std::vector<Address>& frames) const {
    return frames_ > 0 && frames_ <= frames.size() && frames[frames_ - 1] == last_;
  }

  std::size_t frames_ = 0;
  Address last_;
};

}  // namespace asyncspy
