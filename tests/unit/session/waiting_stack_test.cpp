#include "waiting_stack.h"

#include "catch.h"

namespace asyncspy {
namespace {

std::vector<Address> frames(std::initializer_list<std::uint64_t> places) {
  std::vector<Address> all;
  for (const std::uint64_t place : places) all.emplace_back(place);
  return all;
}

}  // namespace

TEST_CASE("what is above the stack of a waiting loop was called by it") {
  WaitingStack waiting;
  CHECK(waiting.count_below(frames({1, 2, 3})) == 0);
  waiting.note_waiting(frames({}));
  CHECK(waiting.count_below(frames({1, 2, 3})) == 0);
  waiting.note_waiting(frames({1, 2}));
  CHECK(waiting.count_below(frames({1, 2, 3})) == 2);
  CHECK(waiting.count_below(frames({1, 2})) == 2);
  CHECK(waiting.count_below(frames({1})) == 0);
  CHECK(waiting.count_below(frames({1, 9, 3})) == 0);
}

TEST_CASE("a call that begins while the waiting loop is looked at is corrected by the next look") {
  WaitingStack waiting;
  waiting.note_waiting(frames({1, 2, 3, 4}));  // 3 and 4 were called meanwhile
  waiting.note_waiting(frames({1, 2}));
  CHECK(waiting.count_below(frames({1, 2, 3, 4})) == 2);
  waiting.note_waiting(frames({1, 2, 3, 4}));  // the same again, afterwards
  CHECK(waiting.count_below(frames({1, 2, 3, 4})) == 2);
}

TEST_CASE("a loop that runs again elsewhere has another stack") {
  WaitingStack waiting;
  waiting.note_waiting(frames({1, 2}));
  waiting.note_waiting(frames({1, 5, 6}));
  CHECK(waiting.count_below(frames({1, 5, 6, 7})) == 3);
}

}  // namespace asyncspy
