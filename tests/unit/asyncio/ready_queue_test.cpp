#include "ready_queue.h"

#include <deque>
#include <random>

#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

QueueCount count(std::uint64_t moves, std::int64_t size) { return {Address{0x10}, moves, size}; }

}  // namespace

TEST_CASE("the ready queue of a loop is found, and its count read") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection{.reader = {heap.memory, layout}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    FakeAsyncio::Loop values;
    values.ready = {fake.handle(heap.function("tick"), {}), fake.handle(heap.function("tock"), {})};
    const auto queue = find_ready_queue(inspection, fake.loop(values));
    REQUIRE(queue);
    CHECK(queue->takes_all);
    heap.set(queue->deque, layout.sequence.deque_state, 4712);
    const auto read = read_queue_count(heap.memory, layout, queue->deque);
    REQUIRE(read);
    CHECK(read->moves == 4712);
    CHECK(read->size == 2);
    CHECK(!find_ready_queue(inspection, fake.future()));
    CHECK(!read_queue_count(heap.memory, layout, Address{}));
  }
}

TEST_CASE("what was taken follows from changes and size, whatever was added") {
  CHECK(count_taken(count(10, 2), count(10, 2)) == 0U);
  CHECK(count_taken(count(10, 2), count(13, 5)) == 0U);   // three added
  CHECK(count_taken(count(10, 2), count(11, 1)) == 1U);
  CHECK(count_taken(count(10, 2), count(18, 4)) == 3U);   // five added, three taken
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    QueueCount before = count(random() % 1000, static_cast<std::int64_t>(random() % 5));
    QueueCount after = before;
    std::uint64_t taken = 0;
    for (int step = 0; step < 50; ++step) {
      ++after.moves;
      if (after.size > 0 && random() % 2 == 0) {
        --after.size;
        ++taken;
      } else {
        ++after.size;
      }
    }
    CHECK(count_taken(before, after) == taken);
  }
}

TEST_CASE("counts that can not follow each other say nothing") {
  CHECK(!count_taken(count(10, 2), count(11, 2)));  // in the middle of a change
  CHECK(!count_taken(count(10, 2), count(11, 5)));
  CHECK(!count_taken(count(10, 2), count(9, 1)));
  CHECK(!count_taken(count(10, 2), count(12, -1)));
  CHECK(!count_taken(count(10, 2), QueueCount{Address{0x20}, 12, 2}));
}

}  // namespace asyncspy
