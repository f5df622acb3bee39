#include "loop_watch.h"

#include <cmath>

#include "catch.h"
#include "is_near.h"

namespace asyncspy {
namespace {

QueueCount count(std::uint64_t moves) { return {Address{0x10}, 2 * moves, 0}; }  // so many were added and taken

LightLoop seen(LoopState state, bool runs_handle = true, std::string function = "handler") {
  LightLoop loop;
  loop.id = Address{0x1000};
  loop.state = state;
  loop.thread_state = 'S';
  loop.runs_handle = runs_handle;
  if (state == LoopState::kRunning || state == LoopState::kBlocked) loop.stack = {{std::move(function), "/srv/app.py", 3}};
  return loop;
}

}  // namespace

TEST_CASE("a step that lasts is a stall once, from the first look that found it") {
  LoopWatch watch(0, 1, true);
  watch.note_queue(0, count(5));
  watch.note_queue(0.5, count(6));
  CHECK(is_near(watch.sample_due(), 1.5));
  CHECK(!watch.note_queue(1.0, count(6)).stall_begins);
  const auto change = watch.note_sample(1.5, seen(LoopState::kBlocked));
  CHECK(change.stall_begins);
  CHECK(is_near(watch.step_seconds(), 1.0));
  CHECK(watch.is_stalled());
  CHECK(!watch.note_sample(2.5, seen(LoopState::kBlocked)).stall_begins);
  const auto end = watch.note_queue(3, count(7));
  REQUIRE(end.stall_ended);
  CHECK(is_near(*end.stall_ended, 2.0));
  CHECK(!watch.is_stalled());
}

TEST_CASE("two steps at the same place are not one") {
  LoopWatch watch(0, 1, true);
  watch.note_queue(0, count(5));
  watch.note_queue(0.1, count(6));
  watch.note_sample(0.8, seen(LoopState::kBlocked));
  watch.note_queue(0.9, count(7));
  CHECK(!watch.note_sample(1.5, seen(LoopState::kBlocked)).stall_begins);
  CHECK(is_near(watch.step_seconds(), 0.6));
}

TEST_CASE("a loop that idles is not looked at again until it takes something") {
  LoopWatch watch(0, 1, true);
  watch.note_queue(0, count(5));
  CHECK(!watch.note_sample(1, seen(LoopState::kIdle)).stall_begins);
  CHECK(watch.is_idle());
  CHECK(std::isinf(watch.sample_due()));
  watch.note_queue(50, count(5));
  CHECK(std::isinf(watch.sample_due()));
  watch.note_queue(51, count(6));
  CHECK(is_near(watch.sample_due(), 52));
}

TEST_CASE("a stall ends when the loop idles, though nothing was taken") {
  LoopWatch watch(0, 1, true);
  watch.note_queue(0, count(5));
  CHECK(watch.note_sample(1.25, seen(LoopState::kBlocked)).stall_begins);
  const auto change = watch.note_sample(1.5, seen(LoopState::kIdle));
  REQUIRE(change.stall_ended);
  CHECK(is_near(*change.stall_ended, 1.25));
}

TEST_CASE("what was not taken from the queue lasts since it was first seen") {
  LoopWatch watch(0, 1, true);
  watch.note_queue(0, count(5));
  CHECK(!watch.note_sample(2, seen(LoopState::kBlocked, false)).stall_begins);
  CHECK(watch.note_sample(3, seen(LoopState::kBlocked, false)).stall_begins);
}

TEST_CASE("without a queue, steps that begin differently are different ones") {
  LoopWatch watch(0, 1, false);
  CHECK(watch.sample_due() == 0);
  watch.note_sample(0, seen(LoopState::kBlocked, false));
  watch.note_sample(0.9, seen(LoopState::kBlocked, false, "another"));
  CHECK(!watch.note_sample(1.8, seen(LoopState::kBlocked, false, "another")).stall_begins);
  CHECK(watch.note_sample(2.0, seen(LoopState::kBlocked, false, "another")).stall_begins);
  CHECK(watch.note_sample(2.5, seen(LoopState::kBlocked, false)).stall_ended);
}

TEST_CASE("a loop that does not take everything from its queue may begin something at any time") {
  LoopWatch watch(0, 1, false);
  watch.note_queue(0, count(5));
  watch.note_sample(5, seen(LoopState::kIdle));
  CHECK(!watch.is_idle());
  CHECK(watch.sample_due() <= 5);
  watch.note_sample(9, seen(LoopState::kBlocked, false));
  CHECK(watch.step_seconds() == 0);
}

TEST_CASE("a process that is stopped by a signal does not stall") {
  LoopWatch watch(0, 1, true);
  watch.note_queue(0, count(5));
  LightLoop stopped = seen(LoopState::kBlocked);
  stopped.thread_state = 'T';
  CHECK(!watch.note_sample(5, stopped).stall_begins);
  CHECK(!watch.note_sample(5.5, seen(LoopState::kBlocked)).stall_begins);
  CHECK(watch.note_sample(6, seen(LoopState::kBlocked)).stall_begins);
}

TEST_CASE("a stop of ours does not count") {
  LoopWatch watch(0, 1, true);
  watch.note_queue(0, count(5));
  watch.forgive(0.5, 0.25);
  CHECK(!watch.note_sample(1.2, seen(LoopState::kBlocked)).stall_begins);
  CHECK(watch.note_sample(1.25, seen(LoopState::kBlocked)).stall_begins);
}

TEST_CASE("a stop of ours before a step began is no part of it") {
  LoopWatch watch(0, 1, true);
  watch.note_queue(0, count(5));
  watch.note_queue(0.75, count(6));
  watch.forgive(0.5, 0.25);
  CHECK(watch.note_sample(1.75, seen(LoopState::kBlocked)).stall_begins);
}

TEST_CASE("a loop that has gone ends its stall") {
  LoopWatch watch(0, 1, true);
  watch.note_queue(0, count(5));
  watch.note_sample(1.5, seen(LoopState::kBlocked));
  CHECK(watch.end().stall_ended);
  CHECK(!watch.end().stall_ended);
}

TEST_CASE("no stall is wanted, none is told") {
  LoopWatch watch(0, 0, true);
  watch.note_queue(0, count(5));
  CHECK(std::isinf(watch.sample_due()));
  CHECK(!watch.note_sample(1000, seen(LoopState::kBlocked)).stall_begins);
}

}  // namespace asyncspy
