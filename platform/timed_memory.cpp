#include "timed_memory.h"

#include <vector>

#include "parallel.h"

namespace asyncspy {
namespace {

// A batch is lost whole when the end falls into it, and until it is done it keeps a processor from the target: a quarter of a
// millisecond at most.
constexpr std::size_t kBatchBytes = std::size_t{512} << 10;

// Most of the time goes into finding and holding each page of the target, which several threads do beside each other.
constexpr std::size_t kBytesPerThread = std::size_t{4} << 20;  // less is copied before another thread has begun

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

void TimedMemory::read_batch(std::span<RangeRead> batch) {
  if (is_over()) return;
  source_.read_ranges(batch);
  if (!is_over()) return;
  for (RangeRead& range : batch) {
    range.ok = false;
    range.good = 0;
  }
}

void TimedMemory::read_ranges(std::span<RangeRead> ranges) {
  std::vector<std::span<RangeRead>> batches;
  std::size_t total = 0;
  for (RangeRead& range : ranges) {
    range.ok = false;
    range.good = 0;
  }
  while (!ranges.empty()) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    while (count < ranges.size() && (count == 0 || bytes + ranges[count].into.size() <= kBatchBytes)) {
      bytes += ranges[count++].into.size();
    }
    batches.push_back(ranges.first(count));
    ranges = ranges.subspan(count);
    total += bytes;
  }
  // What was asked for first is copied first, whoever does it.
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < batches.size(); i = next++) read_batch(batches[i]);
  };
  work_together(source_.is_concurrent() ? total / kBytesPerThread : 1, work);
}

}  // namespace asyncspy
