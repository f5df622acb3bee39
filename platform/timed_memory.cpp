#include "timed_memory.h"

#include <algorithm>
#include <vector>

#include "parallel.h"

namespace asyncspy {
namespace {

// What one thread copies at once: less takes longer, as every call has its price.
constexpr std::size_t kBatchBytes = std::size_t{2} << 20;

// A piece is lost whole when the end falls into it, and keeps a processor from the target until it is done. So near the end
// they are small: a fifth of a millisecond.
constexpr std::chrono::milliseconds kNearEnd{3};
constexpr std::size_t kPieceBytes = std::size_t{512} << 10;

// Most of the time goes into finding and holding each page of the target, which several threads do beside each other.
constexpr std::size_t kBytesPerThread = std::size_t{4} << 20;  // less is copied before another thread has begun

// How many of the first ranges are at most `bytes` together, or 1.
std::size_t count_within(std::span<const RangeRead> ranges, std::size_t bytes) {
  std::size_t count = 0;
  for (std::size_t total = 0; count < ranges.size(); ++count) {
    total += ranges[count].into.size();
    if (count > 0 && total > bytes) break;
  }
  return count;
}

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

void TimedMemory::read_together(std::span<RangeRead> ranges) {
  if (is_over()) return;
  source_.read_ranges(ranges);
  if (!is_over()) return;
  for (RangeRead& range : ranges) {
    range.ok = false;
    range.good = 0;
  }
}

void TimedMemory::read_batch(std::span<RangeRead> batch) {
  if (end_ - Clock::now() >= kNearEnd) {
    read_together(batch);
    return;
  }
  while (!batch.empty()) {
    const std::size_t count = count_within(batch, kPieceBytes);
    if (batch.front().into.size() > kPieceBytes) read_in_pieces(batch.front()); else read_together(batch.first(count));
    batch = batch.subspan(count);
  }
}

void TimedMemory::read_in_pieces(RangeRead& range) {
  range.good = 0;
  while (range.good < range.into.size() && !is_over()) {
    RangeRead piece{range.from + range.good, range.into.subspan(range.good, std::min(kPieceBytes, range.into.size() - range.good))};
    source_.read_ranges({&piece, 1});
    if (is_over()) return;
    range.good += piece.ok ? piece.into.size() : piece.good;
    if (!piece.ok) return;
  }
  range.ok = range.good == range.into.size();
}

void TimedMemory::read_ranges(std::span<RangeRead> ranges) {
  std::vector<std::span<RangeRead>> batches;
  std::size_t total = 0;
  for (RangeRead& range : ranges) {
    range.ok = false;
    range.good = 0;
    total += range.into.size();
  }
  while (!ranges.empty()) {
    const std::size_t count = count_within(ranges, kBatchBytes);
    batches.push_back(ranges.first(count));
    ranges = ranges.subspan(count);
  }
  // What was asked for first is copied first, whoever does it.
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < batches.size(); i = next++) read_batch(batches[i]);
  };
  work_together(source_.is_concurrent() ? total / kBytesPerThread : 1, work);
}

}  // namespace asyncspy
