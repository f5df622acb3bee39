#include "recording_memory.h"

#include "catch.h"
#include "failing_memory.h"
#include "fake_memory.h"

namespace asyncspy {
namespace {

constexpr Address kBase{0x10'0000};
Address page_at(std::uint64_t number) { return kBase + number * kPageSize; }
std::uint64_t number_of(Address at) { return at.value() / kPageSize; }

// Pages 0, 1, 2, ... each filled with its number; page 3 is missing.
void write_pages(FakeMemory& memory, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i != 3) memory.fill(page_at(i), kPageSize, static_cast<std::byte>(i));
  }
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> plain(const std::vector<PageRange>& ranges) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs;
  for (const PageRange& range : ranges) pairs.emplace_back((range.start.value() - kBase.value()) / kPageSize, range.pages);
  return pairs;
}
using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

}  // namespace

TEST_CASE("an attached recording fetches each page once and keeps it") {
  FakeMemory source;
  write_pages(source, 6);
  RecordingMemory recording(&source);
  CHECK(recording.read_value<std::uint8_t>(page_at(1) + 5).value() == 1);
  const std::uint64_t reads = source.reads();
  source.fill(page_at(1), kPageSize, std::byte{0xEE});
  CHECK(recording.read_value<std::uint8_t>(page_at(1) + 4000).value() == 1);  // as it was
  CHECK(source.reads() == reads);
  CHECK(plain(recording.recorded()) == Pairs{{1, 1}});
  CHECK(recording.bytes() == kPageSize);
}

TEST_CASE("a read over several pages is put together, and fails as a whole when one is missing") {
  FakeMemory source;
  write_pages(source, 6);
  RecordingMemory recording(&source);
  std::vector<std::byte> bytes(16);
  REQUIRE(recording.read(page_at(1) + 4088, bytes));
  CHECK(bytes[7] == std::byte{1});
  CHECK(bytes[8] == std::byte{2});
  auto failed = recording.read(page_at(2) + 4088, bytes);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::kUnreadable);
  CHECK(failed.error().at == page_at(3));
  CHECK(plain(recording.recorded()) == Pairs{{1, 2}});
}

TEST_CASE("a page that can not be read is asked for once") {
  FakeMemory source;
  write_pages(source, 6);
  RecordingMemory recording(&source);
  CHECK_FALSE(recording.read_value<int>(page_at(3)));
  const std::uint64_t reads = source.reads();
  CHECK_FALSE(recording.read_value<int>(page_at(3) + 8));
  CHECK(source.reads() == reads);
}

TEST_CASE("addresses at the end of the address space do not wrap around") {
  FakeMemory source;
  RecordingMemory recording(&source);
  std::vector<std::byte> bytes(64);
  CHECK_FALSE(recording.read(Address{~std::uint64_t{0} - 10}, bytes));
  CHECK_FALSE(recording.read(Address{0}, bytes));
}

TEST_CASE("a detached recording answers from what it has and remembers what it lacks") {
  FakeMemory source;
  write_pages(source, 10);
  RecordingMemory recording(&source);
  REQUIRE(recording.read_value<int>(page_at(0)));
  recording.detach();
  CHECK(recording.read_value<std::uint8_t>(page_at(0)).value() == 0);
  for (std::uint64_t missing : {7U, 4U, 5U, 7U}) CHECK_FALSE(recording.read_value<int>(page_at(missing)));
  CHECK(plain(recording.take_missed()) == Pairs{{4, 2}, {7, 1}});
  CHECK(recording.take_missed().empty());
  recording.attach(source);
  CHECK(recording.read_value<std::uint8_t>(page_at(7)).value() == 7);
}

TEST_CASE("prepared ranges are there after they are filled, and not before") {
  FakeMemory source;
  write_pages(source, 10);
  RecordingMemory recording(nullptr);
  recording.prepare({{page_at(5), 3}, {page_at(0), 2}});
  CHECK_FALSE(recording.has_page(number_of(page_at(6))));
  recording.fill(source);
  CHECK(recording.has_page(number_of(page_at(6))));
  CHECK(recording.read_value<std::uint8_t>(page_at(7)).value() == 7);
  CHECK(recording.read_value<std::uint8_t>(page_at(1)).value() == 1);
  CHECK_FALSE(recording.has_page(number_of(page_at(8))));
  CHECK(plain(recording.recorded()) == Pairs{{0, 2}, {5, 3}});
  CHECK(recording.bytes() == 5 * kPageSize);
}

TEST_CASE("a hole in a prepared range loses its own page only") {
  FakeMemory source;
  write_pages(source, 8);
  FailingMemory failing(source);
  failing.fail_at(page_at(5) + 100);
  RecordingMemory recording(nullptr);
  recording.prepare({{page_at(1), 6}});
  recording.fill(failing);
  CHECK(failing.all_were_asked());
  CHECK(plain(recording.recorded()) == Pairs{{1, 2}, {4, 1}, {6, 1}});
  CHECK(recording.read_value<std::uint8_t>(page_at(4)).value() == 4);
  CHECK_FALSE(recording.read_value<std::uint8_t>(page_at(5)));
  CHECK(plain(recording.take_missed()) == Pairs{{5, 1}});
}

namespace {

// Says how far it came where a range can not be read to its end, as the kernel does.
class PreciseMemory final : public BulkMemory {
 public:
  explicit PreciseMemory(FakeMemory& source) : source_(source) {}
  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
    ++single_reads;
    return source_.read(from, into);
  }
  void read_ranges(std::span<RangeRead> ranges) override {
    for (RangeRead& range : ranges) {
      range.good = 0;
      while (range.good < range.into.size() && source_.read(range.from + range.good, range.into.subspan(range.good, kPageSize))) range.good += kPageSize;
      range.ok = range.good == range.into.size();
    }
  }
  int single_reads = 0;

 private:
  FakeMemory& source_;
};

}  // namespace

TEST_CASE("holes in a large range do not make each of its pages be read singly") {
  FakeMemory source;
  for (std::uint64_t i = 0; i < 100; ++i) {
    if (i != 3 && i != 40) source.fill(page_at(i), kPageSize, static_cast<std::byte>(i));
  }
  PreciseMemory precise(source);
  RecordingMemory recording(nullptr);
  recording.prepare({{page_at(0), 100}}, {{page_at(10), 2}});
  recording.fill(precise);
  CHECK(precise.single_reads == 2);  // the holes
  CHECK(plain(recording.recorded()) == Pairs{{0, 3}, {4, 36}, {41, 59}});
  for (std::uint64_t i = 0; i < 100; ++i) {
    auto value = recording.read_value<std::uint8_t>(page_at(i) + 9);
    if (value.has_value() != (i != 3 && i != 40)) FAIL("page " << i);
    if (value && *value != i) FAIL("page " << i << " holds " << int{*value});
  }
  CHECK(plain(recording.take_missed()) == Pairs{{3, 1}, {40, 1}});
}

TEST_CASE("a range of holes loses nothing that lies between them") {
  FakeMemory source;
  for (std::uint64_t i = 0; i < 40; i += 4) source.fill(page_at(i), kPageSize, static_cast<std::byte>(i));
  PreciseMemory precise(source);
  RecordingMemory recording(nullptr);
  recording.prepare({{page_at(0), 40}});
  recording.fill(precise);
  CHECK(recording.bytes() == 10 * kPageSize);
  for (std::uint64_t i = 0; i < 40; i += 4) CHECK(recording.read_value<std::uint8_t>(page_at(i)).value() == i);
}

TEST_CASE("a recording that starts over holds nothing of before, and copies anew into the room that it has") {
  FakeMemory source;
  write_pages(source, 10);
  RecordingMemory recording(&source);
  for (std::uint64_t i : {1U, 5U, 7U}) REQUIRE(recording.read_value<std::uint8_t>(page_at(i)).value() == i);
  recording.start_over();
  CHECK(recording.recorded().empty());
  CHECK(recording.fetched_first().empty());
  CHECK(recording.bytes() == 0);
  CHECK_FALSE(recording.read_value<std::uint8_t>(page_at(1)));
  CHECK(plain(recording.take_missed()) == Pairs{{1, 1}});
  source.fill(page_at(5), kPageSize, std::byte{0x55});
  const std::uint64_t many = 600;  // more than there is room
  for (std::uint64_t i = 20; i < 20 + many; ++i) source.fill(page_at(i), kPageSize, static_cast<std::byte>(i));
  for (int round = 0; round < 2; ++round) {
    recording.prepare({{page_at(5), 3}, {page_at(20), many}});
    recording.fill(source);
    CHECK(recording.bytes() == (3 + many) * kPageSize);
    CHECK(recording.read_value<std::uint8_t>(page_at(5)).value() == 0x55);
    CHECK(recording.read_value<std::uint8_t>(page_at(7)).value() == 7);
    for (std::uint64_t i = 20; i < 20 + many; ++i) {
      if (recording.read_value<std::uint8_t>(page_at(i) + 4095).value() != static_cast<std::uint8_t>(i)) FAIL("page " << i);
    }
    recording.start_over();
  }
}

TEST_CASE("filling again copies only what was prepared since") {
  FakeMemory source;
  write_pages(source, 3);
  RecordingMemory recording(nullptr);
  recording.prepare({{page_at(0), 1}});
  recording.fill(source);
  source.fill(page_at(0), kPageSize, std::byte{0xEE});
  recording.prepare({{page_at(1), 1}});
  recording.fill(source);
  CHECK(recording.read_value<std::uint8_t>(page_at(0)).value() == 0);
  CHECK(recording.read_value<std::uint8_t>(page_at(1)).value() == 1);
}

TEST_CASE("a miss that is filled later is found, not remembered as missing") {
  FakeMemory source;
  write_pages(source, 3);
  RecordingMemory recording(nullptr);
  CHECK_FALSE(recording.read_value<int>(page_at(2)));
  recording.prepare({{page_at(2), 1}});
  recording.fill(source);
  CHECK(recording.read_value<std::uint8_t>(page_at(2)).value() == 2);
}

}  // namespace asyncspy
