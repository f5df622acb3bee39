// analyse() over damaged copies of real processes: it yields a report with gaps or an error, within a bounded number of
// reads, whatever the bytes are. The damage is drawn from a seed that a failure names. Worth most under the asan preset.
#include <csignal>
#include <random>
#include <unistd.h>

#include "analyse.h"
#include "catch.h"
#include "stored_process.h"

namespace asyncspy {
namespace {

constexpr int kRounds = 1500;               // for the system's interpreter
constexpr int kRoundsElsewhere = 150;       // for each of the others
constexpr unsigned kGuardSeconds = 900;     // SIGALRM ends a walk that does not end by itself
constexpr std::uint64_t kReadsPerWholeRun = 40;  // a damaged copy may cost that many times the reads of a whole one

struct ReadPlace {
  Address at;
  std::size_t size = 0;
};

// Counts the reads of an analysis and, for the first one, remembers where they went.
class CountedRecording final : public RecordingMemory {
 public:
  explicit CountedRecording(BulkMemory* source, std::vector<ReadPlace>* places = nullptr) : RecordingMemory(source), places_(places) {}
  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
    ++reads_;
    if (places_ != nullptr) places_->push_back({from, into.size()});
    return RecordingMemory::read(from, into);
  }
  [[nodiscard]] std::uint64_t reads() const { return reads_; }

 private:
  std::vector<ReadPlace>* places_;
  std::uint64_t reads_ = 0;
};

struct Outcome {
  Result<Report> report;
  std::uint64_t reads = 0;
};

Outcome analyse_copy(const StoredProcess& stored, StoredMemory& memory, std::vector<ReadPlace>* places = nullptr) {
  auto recording = std::make_unique<CountedRecording>(&memory, places);
  CountedRecording& counted = *recording;
  Snapshot snapshot;
  snapshot.process = stored.process;
  snapshot.threads = stored.threads;
  snapshot.memory = std::move(recording);
  snapshot.capture.monotonic_ns = stored.monotonic_ns;
  Outcome outcome{.report = analyse(snapshot), .reads = 0};
  outcome.reads = counted.reads();
  return outcome;
}

// Draws damage from a seed. Most of it hits bytes that the analysis of the whole copy read.
class Damage {
 public:
  Damage(const std::vector<ReadPlace>& places, std::uint64_t seed) : places_(places), random_(seed) {}

  void apply(StoredMemory& memory) {
    std::uint64_t count = 1 + draw(draw(4) == 0 ? 200 : 6);
    for (std::uint64_t i = 0; i < count; ++i) apply_one(memory);
  }

 private:
  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  Address any_place() {
    const ReadPlace& place = places_[draw(places_.size())];
    return place.at + draw(std::max<std::size_t>(place.size, 1));
  }
  std::uint64_t any_page() { return any_place().value() / kPageSize; }

  template <class T>
  void put(StoredMemory& memory, Address at, T value) {
    PageBytes* page = memory.change(at.value() / kPageSize);
    std::size_t offset = at.value() % kPageSize;
    if (page != nullptr && offset + sizeof value <= kPageSize) std::memcpy(page->data() + offset, &value, sizeof value);
  }

  void apply_one(StoredMemory& memory) {
    Address at = any_place();
    Address word{at.value() & ~std::uint64_t{7}};
    constexpr std::uint64_t kOdd[] = {0, 1, ~std::uint64_t{0}, std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1, 0x5555'5555'5555'5556,
                                      1 << 20, 16'000'000, 0xFFFF'FFFF, 0x8000'0000, 64, 100'000};
    switch (draw(12)) {
      case 0: put(memory, at, static_cast<std::uint8_t>(draw(256))); break;
      case 1: put(memory, word, std::uint64_t{0}); break;
      case 2: put(memory, word, kOdd[draw(std::size(kOdd))]); break;
      case 3: put(memory, word, random_()); break;
      case 4: put(memory, word, any_place().value()); break;                          // a pointer into something else
      case 5: put(memory, word, any_place().value() & ~std::uint64_t{15}); break;
      case 6: put(memory, word, memory.read_value<std::uint64_t>(Address{any_place().value() & ~std::uint64_t{7}}).value_or(0)); break;
      case 7: put(memory, word, memory.read_value<std::uint64_t>(word).value_or(0) ^ (std::uint64_t{1} << draw(64))); break;
      case 8: put(memory, word, word.value()); break;                                 // points at itself
      case 9: if (draw(8) == 0) memory.remove(any_page()); break;
      case 10: if (draw(8) == 0) memory.swap(any_page(), any_page()); break;
      default:
        if (draw(8) != 0) break;
        if (PageBytes* page = memory.change(any_page())) {
          const bool zero = draw(2) == 0;
          for (std::byte& b : *page) b = zero ? std::byte{0} : static_cast<std::byte>(random_() & 0xFF);
        }
    }
  }

  const std::vector<ReadPlace>& places_;
  std::mt19937_64 random_;
};

struct Tally {
  int reports = 0;
  int reports_with_gaps = 0;
  int errors = 0;
  std::uint64_t most_reads = 0;
};

bool has_gap(const Report& report) {
  bool found = !report.gaps.empty();
  for (const Task& task : report.tasks) found = found || !task.gaps.empty();
  for (const Loop& loop : report.loops) found = found || !loop.gaps.empty();
  for (const Thread& thread : report.threads) found = found || !thread.gaps.empty();
  return found;
}

// Every index of a report is in bounds: renderers rely on it.
void check_indices(const Report& report) {
  auto check_stack = [&](const std::vector<Frame>& stack) {
    for (const Frame& frame : stack) {
      REQUIRE((frame.function == kNoFunction || frame.function < report.functions.size()));
      REQUIRE((frame.type_name == kNoFunction || frame.type_name < report.names.size()));
      REQUIRE((frame.name == kNoFunction || frame.name < report.names.size()));
    }
  };
  for (const Task& task : report.tasks) {
    REQUIRE(task.loop < static_cast<std::int32_t>(report.loops.size()));
    check_stack(task.stack);
  }
  for (const Thread& thread : report.threads) {
    REQUIRE(thread.loop < static_cast<std::int32_t>(report.loops.size()));
    check_stack(thread.stack);
  }
  for (const Loop& loop : report.loops) REQUIRE(loop.thread < static_cast<std::int32_t>(report.threads.size()));
  std::size_t grouped = 0;
  for (const TaskGroup& group : report.groups) {
    for (std::uint32_t index : group.tasks) REQUIRE(index < report.tasks.size());
    grouped += group.tasks.size();
  }
  REQUIRE(grouped == report.tasks.size());
}

Tally damage_repeatedly(const StoredProcess& stored, int rounds, std::uint64_t first_seed) {
  StoredMemory whole(stored.memory);
  std::vector<ReadPlace> places;
  Outcome undamaged = analyse_copy(stored, whole, &places);
  REQUIRE(undamaged.report);
  REQUIRE(undamaged.report->tasks.size() >= kStoredTasks);
  REQUIRE_FALSE(has_gap(*undamaged.report));

  ::alarm(kGuardSeconds);
  Tally tally;
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(round);
    INFO("seed " << seed);
    StoredMemory damaged(stored.memory);
    Damage(places, seed).apply(damaged);
    Outcome outcome = analyse_copy(stored, damaged);  // an exception fails the test here
    REQUIRE(outcome.reads <= undamaged.reads * kReadsPerWholeRun);
    tally.most_reads = std::max(tally.most_reads, outcome.reads);
    if (!outcome.report) {
      ++tally.errors;
      REQUIRE(outcome.report.error().kind != ErrorKind::kInternal);
      continue;
    }
    ++tally.reports;
    if (has_gap(*outcome.report)) ++tally.reports_with_gaps;
    check_indices(*outcome.report);
  }
  ::alarm(0);
  return tally;
}

}  // namespace

TEST_CASE("analysing damaged memory ends, throws nothing and yields a well-formed report or an error") {
  Tally tally = damage_repeatedly(system_python(), kRounds, 1);
  // The damage was felt, and it was not always the end: otherwise this tested little.
  CHECK(tally.reports_with_gaps > kRounds / 20);
  CHECK(tally.reports > kRounds / 20);
  CHECK(tally.errors > kRounds / 50);
}

TEST_CASE("damaged memory of every interpreter at hand is survived") {
  for (const std::string& interpreter : find_interpreters()) {
    INFO(interpreter);
    Tally tally = damage_repeatedly(store_python(interpreter), kRoundsElsewhere, 100'000);
    CHECK(tally.reports + tally.errors == kRoundsElsewhere);
  }
}

}  // namespace asyncspy
