// Notices that a walk over links goes in a circle, without remembering where it was (Brent's algorithm).
//
// A bound alone would end such a walk too; but garbage that sends ten thousand tasks into one circle would fill the
// memory with their frames first.
#pragma once

#include <cstddef>

#include "address.h"

namespace asyncspy {

class Circle {
 public:
  // Whether the walk, now at `at`, was there before: found at the latest when it has gone three times round.
  [[nodiscard]] bool closes_at(Address at) {
    if (at == mark_) return true;
    if (++steps_ == next_mark_) {
      mark_ = at;
      next_mark_ *= 2;
    }
    return false;
  }

 private:
  Address mark_;  // null is never walked over
  std::size_t steps_ = 0;
  std::size_t next_mark_ = 1;
};

}  // namespace asyncspy
