#include "loop_state.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "frames.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

// A thread inside a loop's run_forever, with whatever it called from there.
class Scene {
 public:
  explicit Scene(const PythonLayout& layout)
      : heap(layout), frames(heap), fake(heap),
        inspection{.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}} {
    raw.loop.id = fake.loop({});
    call("run_forever", "BaseEventLoop.run_forever", "/usr/lib/python3/asyncio/base_events.py");
    call("_run_once", "BaseEventLoop._run_once", "/usr/lib/python3/asyncio/base_events.py");
  }

  void call(std::string_view name, std::string_view qualified_name, std::string_view file) {
    innermost = frames.frame(frames.code({.name = name, .qualified_name = qualified_name, .file = file}), kCallOffset, innermost, {raw.loop.id});
  }
  void select() { call("select", "EpollSelector.select", "/usr/lib/python3/selectors.py"); }
  void sleep_in(std::string name) {
    thread.state = 'S';
    thread.system_call = SystemCallReport{.name = std::move(name), .text = {}, .descriptor = {}, .remaining_seconds = {}, .object = {}};
  }

  Loop observe() {
    StackWalk walk = walk_stack(inspection, innermost);
    REQUIRE(walk.gaps.empty());
    std::vector<Address> addresses;
    thread.stack.clear();
    for (const WalkedFrame& frame : walk.frames) {
      thread.stack.push_back(frame.shown);
      addresses.push_back(frame.address);
    }
    Loop loop = raw.loop;
    observe_loop(inspection, {raw, thread, addresses, has_current_task, now}, loop);
    return loop;
  }

  FakeHeap heap;
  FakeFrames frames;
  FakeAsyncio fake;
  Inspection inspection;
  RawLoop raw;
  Thread thread;
  Address innermost;
  bool has_current_task = false;
  double now = 1000.0;
};

Timer timer_at(double deadline, bool cancelled = false) {
  Timer timer;
  timer.deadline = deadline;
  timer.cancelled = cancelled;
  return timer;
}

}  // namespace

TEST_CASE("a loop in its selector is idle, however late its timers are") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    scene.select();
    scene.sleep_in("epoll_wait");
    scene.raw.loop.timers = {timer_at(990)};
    CHECK(scene.observe().state == LoopState::kIdle);
  }
}

TEST_CASE("a select that has returned and waits for the GIL is no idleness") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    scene.select();
    scene.sleep_in("futex");
    scene.thread.waits_for_gil = true;
    CHECK(scene.observe().state == LoopState::kRunning);
    scene.raw.loop.timers = {timer_at(990)};
    CHECK(scene.observe().state == LoopState::kBlocked);
  }
}

TEST_CASE("a task's step on the processor runs; asleep in a system call, or provably late, it blocks") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    scene.call("_run", "Handle._run", "/usr/lib/python3/asyncio/events.py");
    scene.call("handler", "handler", "/srv/app.py");
    scene.has_current_task = true;
    scene.thread.state = 'R';
    Loop running = scene.observe();
    CHECK(running.state == LoopState::kRunning);
    CHECK_FALSE(running.late);
    CHECK(running.current_callback.empty());
    scene.sleep_in("clock_nanosleep");
    CHECK(scene.observe().state == LoopState::kBlocked);
    scene.thread.state = 'R';
    scene.thread.system_call.reset();
    scene.raw.loop.timers = {timer_at(998.5), timer_at(10, true), timer_at(2000)};
    Loop late = scene.observe();
    CHECK(late.state == LoopState::kBlocked);
    REQUIRE(late.late);
    CHECK(late.late->seconds == 1.5);
    scene.raw.ready_deadline = 997.0;
    CHECK(scene.observe().late->seconds == 3.0);
  }
}

TEST_CASE("a delay below what scheduling costs is told and does not make a loop blocked") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    scene.has_current_task = true;
    scene.thread.state = 'R';
    scene.raw.loop.timers = {timer_at(scene.now - kLateSeconds / 2)};
    Loop loop = scene.observe();
    CHECK(loop.state == LoopState::kRunning);
    CHECK(loop.late.has_value());
  }
}

TEST_CASE("a callback outside any task is named") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    scene.call("_run", "Handle._run", "/usr/lib/python3/asyncio/events.py");
    scene.call("reload", "reload", "/srv/app.py");
    Loop loop = scene.observe();
    CHECK(loop.state == LoopState::kRunning);
    CHECK(loop.current_callback == "reload");
  }
}

TEST_CASE("the frame of another loop on the same stack does not count") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    scene.raw.loop.id = scene.fake.loop({});  // the outer one, whose _run_once lies beneath
    scene.call("_run_once", "BaseEventLoop._run_once", "/usr/lib/python3/asyncio/base_events.py");
    scene.call("_run", "Handle._run", "/usr/lib/python3/asyncio/events.py");
    scene.raw.loop.id = scene.fake.loop({});  // now asked for a loop that is not on the stack at all
    CHECK(scene.observe().state == LoopState::kUnknown);
  }
}

TEST_CASE("a loop without Python frames of its own is told by its thread's system call") {
  FOR_EACH_LAYOUT(layout) {
    Scene scene(layout);
    scene.innermost = {};
    scene.sleep_in("epoll_pwait");
    CHECK(scene.observe().state == LoopState::kIdle);
    scene.sleep_in("read");
    CHECK(scene.observe().state == LoopState::kUnknown);
    scene.has_current_task = true;
    CHECK(scene.observe().state == LoopState::kBlocked);
  }
}

}  // namespace asyncspy
