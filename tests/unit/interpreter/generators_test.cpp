#include "generators.h"

#include "catch.h"
#include "failing_memory.h"
#include "fake_frames.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

}  // namespace

TEST_CASE("a generator is told to be in its phase, with its line and what it delegates to") {
  struct Row {
    FakePhase phase;
    GeneratorPhase read;
    int line;
    bool delegates;
  };
  constexpr Row kRows[] = {
      {FakePhase::kAwaiting, GeneratorPhase::kSuspended, 102, true},
      {FakePhase::kYielding, GeneratorPhase::kSuspended, 103, false},
      {FakePhase::kRunning, GeneratorPhase::kRunning, 101, false},
      {FakePhase::kFinished, GeneratorPhase::kFinished, 0, false},
  };
  FOR_EACH_LAYOUT(layout) {
    for (const Row& row : kRows) {
      for (std::size_t locals : {0U, 1U, 5U}) {
        INFO("row " << &row - kRows << ", " << locals << " locals");
        FakeHeap heap(layout);
        FakeFrames frames(heap);
        Inspection inspection = inspect(heap);
        Address delegate = heap.none();
        Address object = frames.generator("coroutine", {.name = "fetch", .qualified_name = "fetch", .flags = kCoroutineFlag}, row.phase,
                                          delegate, std::vector<Address>(locals, heap.none()));
        auto read = read_generator(inspection, object, FrameKind::kCoroutine);
        REQUIRE(read);
        CHECK(read->phase == row.read);
        CHECK(read->delegate == (row.delegates ? delegate : Address{}));
        CHECK(read->shown.line == row.line);
        CHECK(read->shown.object == object);
        CHECK(read->frame == (row.phase == FakePhase::kFinished ? Address{} : frames.frame_of(object)));
      }
    }
  }
}

TEST_CASE("a coroutine that has not started is shown where it begins") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    auto read = read_generator(inspection, frames.coroutine("fetch", FakePhase::kCreated), FrameKind::kCoroutine);
    REQUIRE(read);
    CHECK(read->phase == GeneratorPhase::kCreated);
    CHECK(read->delegate.is_null());
    CHECK((read->shown.line == 100 || read->shown.line == 101));
  }
}

TEST_CASE("a generator's own name is kept where it differs from its code's") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address plain = frames.coroutine("fetch", FakePhase::kYielding);
    CHECK(read_generator(inspection, plain, FrameKind::kCoroutine)->shown.name == kNoFunction);
    Address renamed = frames.coroutine("fetch", FakePhase::kYielding);
    heap.set(renamed, layout.generator.qualified_name, heap.ascii("Client.fetch"));
    auto read = read_generator(inspection, renamed, FrameKind::kCoroutine);
    REQUIRE(read);
    REQUIRE(read->shown.name != kNoFunction);
    CHECK(inspection.names.name(read->shown.name) == "Client.fetch");
  }
}

TEST_CASE("code flags say what a frame is") {
  CHECK(frame_kind_of(kCoroutineFlag) == FrameKind::kCoroutine);
  CHECK(frame_kind_of(kGeneratorFlag) == FrameKind::kGenerator);
  CHECK(frame_kind_of(kGeneratorFlag | 0x100) == FrameKind::kGenerator);
  CHECK(frame_kind_of(kAsyncGeneratorFlag) == FrameKind::kAsyncGenerator);
}

TEST_CASE("a stack that no frame has is refused instead of followed") {
  FOR_EACH_LAYOUT(layout) {
    for (std::int32_t depth : {0, -5, 1 << 30}) {
      FakeHeap heap(layout);
      FakeFrames frames(heap);
      Inspection inspection = inspect(heap);
      Address object = frames.coroutine("fetch", FakePhase::kAwaiting, heap.none());
      Address frame = frames.frame_of(object);
      heap.set(frame, layout.frame.stack_top, depth);
      heap.set(frame, layout.frame.stack_pointer, Address{0x10});
      heap.set(frame, layout.frame_object.stack_depth, depth);
      heap.set(frame, layout.frame_object.stack_top, Address{0x10});
      auto read = read_generator(inspection, object, FrameKind::kCoroutine);
      REQUIRE_FALSE(read);
      CHECK((read.error().kind == ErrorKind::kCorrupt || read.error().kind == ErrorKind::kUnreadable));
    }
  }
}

TEST_CASE("a tagged integer where an object belongs is no delegate") {
  FOR_EACH_LAYOUT(layout) {
    if (layout.stack_references != StackReferences::kTagged) continue;
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address object = frames.coroutine("fetch", FakePhase::kAwaiting, heap.none());
    frames.set_delegate(object, Address{42});  // + 1: 0b101011 has both tag bits
    auto read = read_generator(inspection, object, FrameKind::kCoroutine);
    REQUIRE(read);
    CHECK(read->delegate.is_null());
  }
}

TEST_CASE("an instruction pointer outside the code is refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Inspection inspection = inspect(heap);
    Address object = frames.coroutine("fetch", FakePhase::kAwaiting, heap.none());
    heap.set(frames.frame_of(object), layout.frame.instruction, Address{0x4000'0000'0000});
    heap.set(frames.frame_of(object), layout.frame_object.last_instruction, 0x7FFF'FFFE);
    CHECK(read_generator(inspection, object, FrameKind::kCoroutine).error().kind == ErrorKind::kCorrupt);
  }
}

TEST_CASE("a delegate that can not be read fails the generator") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    Address object = frames.coroutine("fetch", FakePhase::kAwaiting, heap.none());
    FailingMemory failing(heap.memory);
    Bytes first = layout.thread_frame == ThreadFrame::kFrameObject ? layout.frame_object.localsplus : layout.frame.localsplus;
    failing.fail_at(FakeHeap::at(frames.frame_of(object), first));
    Inspection inspection{.reader = {failing, layout}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    CHECK(read_generator(inspection, object, FrameKind::kCoroutine).error().kind == ErrorKind::kUnreadable);
    CHECK(failing.all_were_asked());
  }
}

}  // namespace asyncspy
