#include "frames.h"

#include "catch.h"
#include "fake_frames.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

constexpr FakeFunction kMain{.name = "main", .qualified_name = "main", .first_line = 10};
constexpr FakeFunction kHelper{.name = "step", .qualified_name = "Loop.step", .first_line = 20};

}  // namespace

TEST_CASE("a stack is walked outermost first, without the interpreter's own frames") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address outer = frames.frame(frames.code(kMain), kAwaitOffset, {});
    Address inner = frames.frame(frames.code(kHelper), kYieldOffset, frames.shim(outer));
    StackWalk walk = walk_stack(inspection, frames.shim(inner));
    CHECK(walk.gaps.empty());
    REQUIRE(walk.frames.size() == 2);
    CHECK(walk.frames[0].address == outer);
    CHECK(walk.frames[0].shown.line == 12);
    CHECK(walk.frames[1].shown.line == 23);
    CHECK(walk.frames[1].shown.running);
    CHECK(inspection.codes.functions()[walk.frames[1].shown.function].name == "step");
  }
}

TEST_CASE("frames are divided by the calls of the evaluation loop that execute them") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    const Address code = frames.code(kMain);
    const bool has_shims = layout.first_shim_owner < 127;
    const bool has_cframes = layout.cframe.previous.present();
    // Two frames that one call executes, and one of another call inside of it.
    const Address outer_shim = frames.shim({});
    const Address first = frames.frame(code, kCallOffset, frames.shim(outer_shim));
    const Address second = frames.frame(code, kCallOffset, first);
    const Address inner_shim = frames.shim(second);
    const Address third = frames.frame(code, kCallOffset, inner_shim);
    Address cframe;
    for (const Address current : {Address{}, second, third}) {
      if (!has_cframes) break;
      const Address made = heap.memory.allocate(64);
      heap.set(made, layout.cframe.current_frame, current);
      heap.set(made, layout.cframe.previous, cframe);
      cframe = made;
    }
    const StackWalk walk = walk_stack(inspection, third, cframe);
    REQUIRE(walk.frames.size() == 3);
    const bool apart = !has_shims && !has_cframes;
    REQUIRE(walk.runs.size() == (apart ? 3 : 2));
    CHECK(walk.runs.front().frames == (apart ? 1 : 2));
    CHECK(walk.runs.back().frames == 1);
    if (has_cframes) CHECK(walk.runs.back().anchor == cframe);
    if (has_shims && !has_cframes) CHECK(walk.runs.back().anchor == inner_shim);
    CHECK(walk.runs.front().anchor.is_null() == apart);
  }
}

TEST_CASE("a coroutine's frame on a stack names its coroutine") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address coroutine = frames.coroutine("fetch", FakePhase::kRunning);
    frames.set_previous(frames.frame_of(coroutine), frames.frame(frames.code(kMain), kCallOffset, {}));
    StackWalk walk = walk_stack(inspection, frames.frame_of(coroutine));
    CHECK(walk.gaps.empty());
    REQUIRE(walk.frames.size() == 2);
    CHECK(walk.frames[0].shown.object.is_null());
    CHECK(walk.frames[0].shown.kind == FrameKind::kFunction);
    CHECK(walk.frames[1].shown.object == coroutine);
    CHECK(walk.frames[1].shown.kind == FrameKind::kCoroutine);
    CHECK(walk.frames[1].shown.line == 101);
  }
}

TEST_CASE("a call that is still being set up is not shown (3.11+)") {
  FOR_EACH_LAYOUT(layout) {
    if (!layout.code.first_traceable.present()) continue;
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address outer = frames.frame(frames.code(kMain), kCallOffset, {});
    Address begun = frames.frame(frames.code(kHelper), 0, outer);
    CHECK(walk_stack(inspection, begun).frames.size() == 1);
  }
}

TEST_CASE("an empty stack is empty") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Inspection inspection = inspect(heap);
    StackWalk walk = walk_stack(inspection, Address{});
    CHECK(walk.frames.empty());
    CHECK(walk.gaps.empty());
  }
}

TEST_CASE("a frame that can not be read ends the walk with a gap and keeps what was found") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address inner = frames.frame(frames.code(kHelper), kCallOffset, Address{0xdead0});
    StackWalk walk = walk_stack(inspection, inner);
    CHECK(walk.frames.size() == 1);
    REQUIRE(walk.gaps.size() == 1);
    CHECK(walk.gaps[0].at == Address{0xdead0});
  }
}

TEST_CASE("frames that go round end the walk soon, with a gap") {
  FOR_EACH_LAYOUT(layout) {
    for (int length : {1, 2, 3, 10}) {
      FakeHeap heap(layout);
      FakeFrames frames(heap);
      Inspection inspection = inspect(heap);
      Address code = frames.code(kMain);
      Address first = frames.frame(code, kCallOffset, {});
      Address last = first;
      for (int i = 1; i < length; ++i) last = frames.frame(code, kCallOffset, last);
      frames.set_previous(first, last);
      Address outside = frames.frame(code, kCallOffset, last);
      StackWalk walk = walk_stack(inspection, outside);
      INFO("round of " << length);
      CHECK(walk.gaps.size() == 1);
      CHECK(walk.frames.size() < 100);
    }
  }
}

TEST_CASE("arguments are read from a frame by their number") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address self = heap.none();
    Address frame = frames.frame(frames.code(kMain), kCallOffset, {}, {self, heap.boolean(true)});
    CHECK(read_local(inspection, frame, 0).value() == self);
    CHECK(read_local(inspection, frame, 1).value() == heap.boolean(true));
    CHECK_FALSE(read_local(inspection, frame, 1 << 20));
  }
}

TEST_CASE("garbage is no frame") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Inspection inspection = inspect(heap);
    Address garbage = heap.memory.allocate(1024);
    heap.memory.fill(garbage, 1024, std::byte{0xAB});
    StackWalk walk = walk_stack(inspection, garbage);
    CHECK(walk.frames.empty());
    CHECK(walk.gaps.size() == 1);
  }
}

}  // namespace asyncspy
