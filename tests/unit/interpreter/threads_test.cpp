#include "threads.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

struct Scene {
  explicit Scene(const PythonLayout& layout) : heap(layout), fake(heap), frames(heap) {
    interpreter.address = fake.interpreter({});
    interpreter.id = 3;
  }
  // Links new thread states into the interpreter's list, newest first.
  std::vector<Address> add_threads(std::size_t count) {
    const PythonLayout& layout = heap.layout();
    std::vector<Address> states;
    Address previous;
    for (std::size_t i = 0; i < count; ++i) {
      Address state = fake.thread_state(interpreter.address);
      heap.set(state, layout.thread.next, previous);
      heap.set(state, layout.thread.thread_id, 0x7f00 + i);
      heap.set(state, layout.thread.native_thread_id, 100 + i);
      previous = state;
      states.insert(states.begin(), state);
    }
    return states;
  }
  std::vector<ThreadState> read() { return read_thread_states({heap.memory, heap.layout()}, interpreter, gaps); }

  FakeHeap heap;
  FakeAsyncio fake;
  FakeFrames frames;
  Interpreter interpreter;
  std::vector<Gap> gaps;
};

}  // namespace

TEST_CASE("all thread states of an interpreter are read, with their innermost frames") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    auto states = scene.add_threads(3);
    Address frame = scene.frames.frame(scene.frames.code({.name = "run", .qualified_name = "run"}), kCallOffset, {});
    Address in_thread = frame;
    if (layout.thread_frame == ThreadFrame::kCFrame) {
      in_thread = scene.heap.memory.allocate(64);
      scene.heap.set(in_thread, layout.cframe.current_frame, frame);
    }
    scene.heap.set(states[1], layout.thread.frame, in_thread);
    auto read = scene.read();
    CHECK(scene.gaps.empty());
    REQUIRE(read.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(read[i].address == states[i]);
      CHECK(read[i].interpreter == 3);
      CHECK(read[i].thread_id == 0x7f00 + 2 - i);
      CHECK(read[i].native_thread_id == (layout.thread.native_thread_id.present() ? 100 + 2 - i : 0));
      CHECK(read[i].frame == (i == 1 ? frame : Address{}));
    }
  }
}

TEST_CASE("a state of another interpreter ends the list with a gap") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    auto states = scene.add_threads(3);
    scene.heap.set(states[1], layout.thread.interpreter, Address{0x1230});
    CHECK(scene.read().size() == 1);
    REQUIRE(scene.gaps.size() == 1);
    CHECK(scene.gaps[0].at == states[1]);
  }
}

TEST_CASE("a list of threads that goes round ends soon") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    auto states = scene.add_threads(5);
    scene.heap.set(states[4], layout.thread.next, states[2]);
    CHECK(scene.read().size() < 30);
    CHECK(scene.gaps.size() == 1);
    scene.gaps.clear();
    scene.heap.set(states[4], layout.thread.next, states[0]);  // some releases may close the list
    CHECK(scene.read().size() == 5);
    CHECK(scene.gaps.empty());
  }
}

TEST_CASE("an unreadable list of threads is a gap") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    scene.interpreter.address = Address{0x8};
    CHECK(scene.read().empty());
    CHECK(scene.gaps.size() == 1);
  }
}

}  // namespace asyncspy
