#include "timed_memory.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <vector>

#include "catch.h"
#include "recording_memory.h"

namespace asyncspy {
namespace {

using Clock = TimedMemory::Clock;

// Takes as long for each order as it is told to.
class SlowMemory final : public BulkMemory {
 public:
  explicit SlowMemory(std::function<void()> delay) : delay_(std::move(delay)) {}

  Result<void> read(Address from, std::span<std::byte> into) override {
    first_reads.push_back(from);
    std::ranges::fill(into, std::byte{0x11});
    delay_();
    return {};
  }
  void read_ranges(std::span<RangeRead> ranges) override {
    for (RangeRead& range : ranges) {
      first_reads.push_back(range.from);
      std::ranges::fill(range.into, std::byte{0x11});
      range.ok = true;
    }
    delay_();
  }

  std::vector<Address> first_reads;

 private:
  std::function<void()> delay_;
};

void wait_until(Clock::time_point end) {
  while (Clock::now() < end) {
  }
}

}  // namespace

TEST_CASE("what is read before the end is there, and nothing is refused") {
  SlowMemory slow([] {});
  TimedMemory timed(slow, Clock::time_point::max());
  std::array<std::byte, 8> bytes{};
  CHECK(timed.read(Address{0x1000}, bytes));
  CHECK(bytes[0] == std::byte{0x11});
  CHECK_FALSE(timed.has_refused());
}

TEST_CASE("a read that ends too late is refused, although it began in time") {
  const auto end = Clock::now() + std::chrono::milliseconds(20);
  SlowMemory slow([&] { wait_until(end); });
  TimedMemory timed(slow, end);
  std::array<std::byte, 8> bytes{};
  std::vector<RangeRead> ranges{{Address{0x1000}, bytes, true}};
  timed.read_ranges(ranges);
  CHECK_FALSE(ranges[0].ok);
  CHECK(timed.has_refused());
  const auto late = timed.read(Address{0x1000}, bytes);
  REQUIRE_FALSE(late);
  CHECK(late.error().kind == ErrorKind::kTimeout);
}

TEST_CASE("near its end a large range is read in pieces, and those that were in time are kept") {
  constexpr std::size_t kPiece = std::size_t{512} << 10;
  constexpr std::size_t kPieces = 5;
  const auto end = Clock::now() + std::chrono::milliseconds(2);  // less than what counts as near
  int orders = 0;
  SlowMemory slow([&] {
    if (++orders == 3) wait_until(end);
  });
  TimedMemory timed(slow, end);
  std::vector<std::byte> bytes(kPieces * kPiece);
  std::vector<RangeRead> ranges{{Address{0x1000}, bytes}};
  timed.read_ranges(ranges);
  CHECK_FALSE(ranges[0].ok);
  CHECK(ranges[0].good % kPiece == 0);
  CHECK(ranges[0].good <= 2 * kPiece);  // less where this test itself was kept waiting
  CHECK(timed.has_refused());
  for (std::size_t i = 0; i < slow.first_reads.size(); ++i) CHECK(slow.first_reads[i] == Address{0x1000 + i * kPiece});
}

TEST_CASE("near its end small ranges are read together, and one that can not be read loses nothing but itself") {
  class Holed final : public BulkMemory {
   public:
    Result<void> read(Address from, std::span<std::byte>) override {
      return from == Address{0x3000} ? Result<void>(fail(ErrorKind::kUnreadable, "a hole")) : Result<void>{};
    }
    void read_ranges(std::span<RangeRead> ranges) override {
      ++orders;
      BulkMemory::read_ranges(ranges);
    }
    int orders = 0;
  };
  Holed holed;
  // The end is near as long as it is not there, which a test can not keep up: enough time, and as many attempts as it takes.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    TimedMemory timed(holed, Clock::now() + std::chrono::microseconds(2900));
    std::array<std::byte, 8> bytes{};
    std::vector<RangeRead> ranges{{Address{0x1000}, bytes}, {Address{0x3000}, bytes}, {Address{0x5000}, bytes}};
    holed.orders = 0;
    timed.read_ranges(ranges);
    if (timed.has_refused()) continue;
    CHECK(holed.orders == 1);
    CHECK(ranges[0].ok);
    CHECK_FALSE(ranges[1].ok);
    CHECK(ranges[2].ok);
    return;
  }
  FAIL("the machine is too busy");
}

TEST_CASE("a copy that is cut short keeps the urgent pages and loses the rest") {
  constexpr std::uint64_t kPages = 4096;
  constexpr std::uint64_t kUrgent = 3000;
  Clock::time_point end = Clock::time_point::max();
  int batches = 0;
  SlowMemory slow([&] {
    if (++batches > 1) end = Clock::now();
  });
  // The end is moved by the second batch, so that exactly the first one is in time.
  class MovingEnd final : public BulkMemory {
   public:
    MovingEnd(BulkMemory& source, Clock::time_point& end) : source_(source), end_(end) {}
    Result<void> read(Address from, std::span<std::byte> into) override { return TimedMemory(source_, end_).read(from, into); }
    void read_ranges(std::span<RangeRead> ranges) override {
      for (RangeRead& range : ranges) TimedMemory(source_, end_).read_ranges({&range, 1});
    }

   private:
    BulkMemory& source_;
    Clock::time_point& end_;
  };
  RecordingMemory recording(nullptr);
  recording.prepare({{Address{kPageSize}, kPages}}, {{Address{kUrgent * kPageSize}, 2}});
  MovingEnd moving(slow, end);
  recording.fill(moving);
  REQUIRE_FALSE(slow.first_reads.empty());
  CHECK(slow.first_reads[0] == Address{kUrgent * kPageSize});
  CHECK(recording.has_page(kUrgent));
  CHECK(recording.has_page(kUrgent + 1));
  CHECK_FALSE(recording.has_page(kPages));
}

TEST_CASE("the pages that were fetched first are told") {
  SlowMemory slow([] {});
  RecordingMemory recording(&slow);
  std::array<std::byte, 8> bytes{};
  for (std::uint64_t page : {9U, 4U, 5U}) REQUIRE(recording.read(Address{page * kPageSize}, bytes));
  const auto first = recording.fetched_first();
  REQUIRE(first.size() == 2);
  CHECK(first[0].start == Address{4 * kPageSize});
  CHECK(first[0].pages == 2);
  CHECK(first[1].start == Address{9 * kPageSize});
}

TEST_CASE("several threads copy what is much, each range once") {
  class Numbered final : public BulkMemory {
   public:
    Result<void> read(Address from, std::span<std::byte> into) override {
      ++reads;
      std::ranges::fill(into, static_cast<std::byte>(from.value() >> 20));
      return {};
    }
    bool is_concurrent() const override { return true; }
    std::atomic<int> reads = 0;
  };
  constexpr std::size_t kRange = std::size_t{1} << 20;
  constexpr std::size_t kRanges = 64;
  std::vector<std::byte> bytes(kRange * kRanges);
  std::vector<RangeRead> ranges;
  for (std::size_t i = 0; i < kRanges; ++i) ranges.push_back({Address{i << 20}, std::span(bytes).subspan(i * kRange, kRange), false});
  Numbered numbered;
  TimedMemory timed(numbered, Clock::time_point::max());
  timed.read_ranges(ranges);
  CHECK(numbered.reads == kRanges);
  CHECK(std::ranges::all_of(ranges, &RangeRead::ok));
  for (std::size_t i = 0; i < kRanges; ++i) {
    CHECK((bytes[i * kRange] == static_cast<std::byte>(i) && bytes[(i + 1) * kRange - 1] == static_cast<std::byte>(i)));
  }
  TimedMemory late(numbered, Clock::now() - std::chrono::seconds(1));
  late.read_ranges(ranges);
  CHECK(std::ranges::none_of(ranges, &RangeRead::ok));
  CHECK(late.has_refused());
}

}  // namespace asyncspy
