// Memory of a target that stands still up to a known moment. What is read later may belong to another moment: it is
// refused, even if the read began in time.
#pragma once

#include <atomic>
#include <chrono>

#include "bulk_memory.h"

namespace asyncspy {

class TimedMemory final : public BulkMemory {
 public:
  using Clock = std::chrono::steady_clock;

  TimedMemory(BulkMemory& source, Clock::time_point end) : source_(source), end_(end) {}

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override;
  // Of much at once several threads copy, where the source allows it, since the target stands still meanwhile.
  void read_ranges(std::span<RangeRead> ranges) override;

  // Whether something was not read for lack of time.
  [[nodiscard]] bool has_refused() const { return refused_; }

 private:
  [[nodiscard]] bool is_over();
  void read_batch(std::span<RangeRead> batch);
  void read_together(std::span<RangeRead> ranges);
  void read_in_pieces(RangeRead& range);

  BulkMemory& source_;
  Clock::time_point end_;
  std::atomic<bool> refused_ = false;
};

}  // namespace asyncspy
