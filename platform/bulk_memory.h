// Memory that can be read in many places at once.
//
// The copy during a stop is one batch of ranges; a source that can hand them to the kernel together does so. A range
// that can not be read loses nothing but itself.
#pragma once

#include <cstddef>
#include <span>

#include "memory.h"

namespace asyncspy {

// One order of a batch: fill all of `into` from `from`. `ok` is the answer. Without it only the first `good` bytes are what
// is there; a source that knows no better says 0.
struct RangeRead {
  Address from;
  std::span<std::byte> into;
  bool ok = false;
  std::size_t good = 0;
};

// Whole pages: [start, start + pages * kPageSize).
struct PageRange {
  Address start;
  std::uint64_t pages = 0;
};

class BulkMemory : public Memory {
 public:
  virtual void read_ranges(std::span<RangeRead> ranges) {
    for (RangeRead& range : ranges) range.ok = read(range.from, range.into).has_value();
  }

  // Whether several threads may read at once.
  [[nodiscard]] virtual bool is_concurrent() const { return false; }
};

}  // namespace asyncspy
