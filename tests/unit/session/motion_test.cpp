#include "motion.h"

#include "analyse.h"
#include "capture.h"
#include "catch.h"
#include "scripted_target.h"
#include "threads.h"

namespace asyncspy {
namespace {

// A process whose threads say whether they run, and what is known of it before.
struct Watched {
  explicit Watched(bool still) {
    target.still = still;
    before = *target.read_threads();
    for (ThreadFacts& thread : before) thread.state = 'S';
  }
  ScriptedTarget target{system_python()};
  std::vector<ThreadFacts> before;
};

// What the main thread's state (3.11, 3.12: its _PyCFrame) names as its innermost frame is nowhere.
void tear_stack(Snapshot& snapshot, StoredMemory& memory) {
  const ObjectReader reader = snapshot.runtime->reader(memory);
  const auto interpreters = read_interpreters(reader, *snapshot.runtime);
  REQUIRE(interpreters);
  std::vector<Gap> gaps;
  const ThreadState main = read_thread_states(reader, interpreters->front(), gaps).back();
  const Address names_frame = main.cframe.is_null() ? main.address : main.cframe;
  const Address nowhere{0x10};
  for (std::uint64_t at = 0; at < (main.cframe.is_null() ? 512 : 32); at += sizeof(Address)) {
    const auto word = memory.read_value<Address>(names_frame + at);
    if (word && *word == main.frame) memory.write(names_frame + at, std::as_bytes(std::span(&nowhere, 1)));
  }
}

}  // namespace

TEST_CASE("a process moves when one of its threads has run") {
  Watched still(true);
  Watched moving(false);
  const int tid = still.before.front().tid;
  CHECK(find_motion(still.target, still.before, {tid}) == Motion::kStill);
  CHECK(find_motion(moving.target, moving.before, {tid}) == Motion::kMoving);
  still.before.front().cpu_time_ns += 1;
  CHECK(find_motion(still.target, still.before, {tid}) == Motion::kMoving);
}

TEST_CASE("of no thread it is not known that it stood still") {
  Watched still(true);
  CHECK(find_motion(still.target, still.before, {}) == Motion::kMoving);
}

TEST_CASE("a thread whose stack can not be read while it runs is one of those that are asked") {
  const StoredProcess& stored = system_python();
  ScriptedTarget target(stored);
  auto snapshot = capture(target, {});
  REQUIRE(snapshot);
  const std::vector<int> whole = visit_stacks(*snapshot);
  REQUIRE_FALSE(whole.empty());
  StoredMemory torn(stored.memory);
  tear_stack(*snapshot, torn);
  snapshot->memory = std::make_unique<RecordingMemory>(&torn);
  const auto report = build_report(*snapshot);
  REQUIRE(report);
  REQUIRE(report->threads.front().stack.empty());
  CHECK(visit_stacks(*snapshot) == whole);
}

}  // namespace asyncspy
