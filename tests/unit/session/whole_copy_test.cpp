#include "whole_copy.h"

#include "catch.h"
#include "scripted_target.h"

namespace asyncspy {
namespace {

constexpr Address kElsewhere{0x6000'0000'0000};  // where nothing is in the stored process

struct Decision {
  explicit Decision(std::uint64_t written_pages, std::uint64_t expected_pages = 0) {
    target.expected_bytes = expected_pages * kPageSize;
    target.map(kElsewhere, written_pages + 100);
    target.written = {{kElsewhere, written_pages}};
    snapshot.process = *target.read_process();
    snapshot.memory = std::make_unique<RecordingMemory>(&target.memory());
    if (const auto expected = expect_whole_copy(target, snapshot)) ranges = find_whole_copy(target, snapshot, *expected);
  }
  [[nodiscard]] bool covers(Address from, std::uint64_t pages) const {
    for (const PageRange& range : *ranges) {
      if (range.start <= from && from + pages * kPageSize <= range.start + range.pages * kPageSize) return true;
    }
    return false;
  }
  ScriptedTarget target{system_python()};
  Snapshot snapshot;
  std::optional<std::vector<PageRange>> ranges;
};

}  // namespace

TEST_CASE("a small process is copied whole, with what was read of it so far and room to grow") {
  Decision decision(1000);
  REQUIRE(decision.ranges);
  CHECK(decision.covers(kElsewhere, 1001));
  CHECK_FALSE(decision.covers(kElsewhere, 1100));
  CHECK(decision.snapshot.runtime);
  for (const PageRange& read : decision.snapshot.memory->recorded()) CHECK(decision.covers(read.start, read.pages));
  CHECK(decision.target.stops() == 0);
}

TEST_CASE("a process that has written much for its tasks is scouted") {
  CHECK(Decision(2'048).ranges);
  CHECK_FALSE(Decision(2'049).ranges);  // 8 MiB; its tasks are some dozens
}

TEST_CASE("a process that has much memory for its tasks is scouted without a look at its pages") {
  const Decision scouted(3'000, 3'000);
  CHECK_FALSE(scouted.ranges);
  CHECK(scouted.target.asked_for_written == 0);
  const Decision grown(3'000, 1'000);  // since it was asked, or swapped out
  CHECK_FALSE(grown.ranges);
  CHECK(grown.target.asked_for_written == 1);
  CHECK(Decision(1'000, 1'000).ranges);
}

TEST_CASE("a process without an interpreter is left to the scout, which says why") {
  StoredProcess other;
  other.process = system_python().process;
  other.process.images.clear();
  ScriptedTarget target(other);
  Snapshot snapshot;
  snapshot.process = other.process;
  snapshot.memory = std::make_unique<RecordingMemory>(&target.memory());
  CHECK_FALSE(expect_whole_copy(target, snapshot));
}

TEST_CASE("ranges are extended within their mapping only") {
  std::vector<Mapping> mappings(2);
  mappings[0] = {.start = Address{0x1000}, .end = Address{0x4000}, .readable = true, .writable = true, .path = {}};
  mappings[1] = {.start = Address{0x5000}, .end = Address{0x9000}, .readable = true, .writable = true, .inode = 7, .path = "/lib/a.so"};
  auto extended = extend({{Address{0x1000}, 1}, {Address{0x3000}, 1}, {Address{0x5000}, 1}}, 1, mappings);
  REQUIRE(extended.size() == 2);
  CHECK(extended[0].start == Address{0x1000});
  CHECK(extended[0].pages == 3);
  CHECK(extended[1].start == Address{0x5000});  // a file's data does not grow
  CHECK(extended[1].pages == 1);
}

}  // namespace asyncspy
