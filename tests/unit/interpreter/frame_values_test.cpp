#include "frame_values.h"

#include "catch.h"
#include "fake_frames.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

constexpr FakeFunction kFunction{.name = "pay", .qualified_name = "Shop.pay", .flags = kCoroutineFlag, .locals = {}};

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

}  // namespace

TEST_CASE("a suspended frame has its locals and the values on its stack, apart") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Address first = heap.ascii("first"), second = heap.ascii("second"), delegate = heap.ascii("delegate");
    FakeFunction function = kFunction;
    function.locals = {"first", "second"};
    Address made = frames.generator("coroutine", function, FakePhase::kAwaiting, delegate, {first, second});
    Inspection inspection = inspect(heap);
    auto values = read_frame_values(inspection, frames.frame_of(made)).value();
    CHECK(values.locals == std::vector<Address>{first, second});
    CHECK(values.stack_is_known);
    REQUIRE_FALSE(values.stack.empty());
    CHECK(values.stack.front() == delegate);
  }
}

TEST_CASE("how high the stack of an executing frame is, is not known") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Address only = heap.ascii("only");
    FakeFunction function = kFunction;
    function.locals = {"only"};
    Address made = frames.generator("coroutine", function, FakePhase::kRunning, {}, {only});
    Address frame = frames.frame_of(made);
    heap.set(frame, layout.frame.stack_top, -1);
    heap.set(frame, layout.frame.stack_pointer, Address{});
    heap.set(frame, layout.frame_object.stack_depth, -1);
    Inspection inspection = inspect(heap);
    auto values = read_frame_values(inspection, frame).value();
    CHECK(values.locals == std::vector<Address>{only});
    CHECK_FALSE(values.stack_is_known);
    CHECK(values.stack.empty());
  }
}

TEST_CASE("a frame of absurd extent is refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Address made = frames.generator("coroutine", kFunction, FakePhase::kAwaiting, heap.ascii("delegate"));
    Address frame = frames.frame_of(made);
    heap.set(frame, layout.frame.stack_top, 1 << 30);
    heap.set(frame, layout.frame.stack_pointer, frame + (std::uint64_t{1} << 40));
    heap.set(frame, layout.frame_object.value_stack, frame + (std::uint64_t{1} << 40));
    Inspection inspection = inspect(heap);
    auto values = read_frame_values(inspection, frame);
    REQUIRE_FALSE(values);
    CHECK(values.error().kind == ErrorKind::kCorrupt);
  }
}

}  // namespace asyncspy
