#include "timed_memory.h"

namespace asyncspy {
namespace {

// A batch is lost whole when the end falls into it: about a millisecond.
constexpr std::size_t kBatchBytes = std::size_t{4} << 20;

}  // namespace

bool TimedMemory::is_over() {
  if (Clock::now() < end_) return false;
  refused_ = true;
  return true;
}

Result<void> TimedMemory::read(Address from, std::span<std::byte> into) {
  const auto refusal = [&] { return fail(ErrorKind::kTimeout, "the time for the copy was over", {}, from); };
  if (is_over()) return refusal();
  auto done = source_.read(from, into);
  if (is_over()) return refusal();
  return done;
}

void TimedMemory::read_ranges(std::span<RangeRead> ranges) {
  for (RangeRead& range : ranges) range.ok = false;
  while (!ranges.empty() && !is_over()) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    while (count < ranges.size() && (count == 0 || bytes + ranges[count].into.size() <= kBatchBytes)) {
      bytes += ranges[count++].into.size();
    }
    const auto batch = ranges.first(count);
    source_.read_ranges(batch);
    if (is_over()) {
      for (RangeRead& range : batch) range.ok = false;
    }
    ranges = ranges.subspan(count);
  }
}

}  // namespace asyncspy
