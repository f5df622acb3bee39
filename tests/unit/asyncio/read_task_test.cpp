#include "read_task.h"

#include "catch.h"
#include "failing_memory.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"
#include "read_alone.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

}  // namespace

TEST_CASE("a task of the C accelerator is read member by member") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address future = fake.future();
    Address coroutine = frames.coroutine("fetch", FakePhase::kAwaiting, future);
    Address loop = fake.loop({});
    Address task = fake.task({.loop = loop, .coroutine = coroutine, .waiter = future, .name = heap.ascii("fetcher"), .must_cancel = true, .cancel_requests = 2});
    heap.set(task, layout.future.callback0, heap.none());
    heap.set(task, layout.future.callbacks, heap.list({heap.none(), heap.none()}));
    RawTask raw = read_alone(inspection, fake.classes(), task);
    CHECK(raw.task.gaps.empty());
    CHECK(raw.task.id == task);
    CHECK(raw.task.type == "_asyncio.Task");
    CHECK(raw.task.state == TaskState::kPending);
    CHECK(raw.task.name == (layout.task.name.present() ? "fetcher" : ""));
    CHECK(raw.loop == loop);
    CHECK(raw.task.awaited == future);
    CHECK(raw.task.must_cancel == true);
    CHECK(raw.task.cancel_requests == (layout.task.cancel_requests.present() ? std::optional<int>(2) : std::nullopt));
    CHECK(raw.task.callbacks == 3);
    REQUIRE(raw.task.stack.size() == 1);
    CHECK(raw.task.stack[0].object == coroutine);
    CHECK(raw.chain.end == ChainEnd::kFuture);
  }
}

TEST_CASE("each state of a task is told, and a state that is none is unknown") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    const TaskState states[] = {TaskState::kPending, TaskState::kCancelled, TaskState::kFinished, TaskState::kUnknown};
    for (std::uint32_t state = 0; state < 4; ++state) {
      Address task = fake.task({.state = state == 3 ? 77 : state});
      CHECK(read_alone(inspection, fake.classes(), task).task.state == states[state]);
      CHECK(read_future_state(inspection, fake.classes(), fake.future(state == 3 ? 77 : state)) == states[state]);
    }
  }
}

TEST_CASE("the flag of a pending cancellation is its own bit") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address task = fake.task({});
    heap.set(task, layout.future.log_traceback, true);
    CHECK(read_alone(inspection, fake.classes(), task).task.must_cancel == false);
  }
}

TEST_CASE("a name that nobody asked for is made of its number (3.12+)") {
  FOR_EACH_LAYOUT(layout) {
    if (!layout.task.name.present()) continue;
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    CHECK(read_alone(inspection, fake.classes(), fake.task({.name = heap.integer(17)})).task.name == "Task-17");
  }
}

TEST_CASE("a subclass of the C task is read by the C layout and keeps its name") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address type = heap.heap_type("app", "TracedTask", {.bases = {fake.c_task_type, fake.c_future_type}});
    RawTask raw = read_alone(inspection, fake.classes(), fake.task({.state = 2}, type));
    CHECK(raw.task.type == "app.TracedTask");
    CHECK(raw.task.state == TaskState::kFinished);
    CHECK(raw.task.gaps.empty());
  }
}

TEST_CASE("a task written in Python is read from its attributes") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address future = fake.future();
    Address coroutine = frames.coroutine("fetch", FakePhase::kYielding);
    Address task = fake.python_task({.loop = fake.loop({}), .coroutine = coroutine, .waiter = future, .name = heap.ascii("slow"), .must_cancel = true, .cancel_requests = 1},
                                    "PENDING", {heap.none()});
    RawTask raw = read_alone(inspection, fake.classes(), task);
    CHECK(raw.task.gaps.empty());
    CHECK(raw.task.type == "asyncio.tasks.Task");
    CHECK(raw.task.name == "slow");
    CHECK(raw.task.awaited == future);
    CHECK(raw.task.must_cancel == true);
    CHECK(raw.task.cancel_requests == 1);
    CHECK(raw.task.callbacks == 1);
    CHECK(raw.task.state == TaskState::kPending);
    CHECK(raw.task.stack.size() == 1);
    CHECK(read_alone(inspection, fake.classes(), fake.python_task({}, "CANCELLED")).task.state == TaskState::kCancelled);
    CHECK(read_future_state(inspection, fake.classes(), fake.python_task({}, "FINISHED")) == TaskState::kFinished);
  }
}

TEST_CASE("an object that is no task of any known make is a gap, not a guess") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    CHECK(read_alone(inspection, fake.classes(), heap.object(heap.heap_type("app", "Other"), 128)).task.gaps.size() == 1);
    CHECK(read_alone(inspection, fake.classes(), Address{0x10}).task.gaps.size() == 1);
    CHECK(read_future_state(inspection, fake.classes(), Address{0x10}) == TaskState::kUnknown);
  }
}

TEST_CASE("a name that can not be read is a gap and leaves the rest of the task") {
  FOR_EACH_LAYOUT(layout) {
    if (!layout.task.name.present()) continue;
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Address name = heap.ascii("unreadable");
    Address task = fake.task({.name = name, .state = 1});
    FailingMemory failing(heap.memory);
    failing.fail_at(FakeHeap::at(name, layout.text.length));
    Inspection inspection{.reader = {failing, layout}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
    RawTask raw = read_alone(inspection, fake.classes(), task);
    CHECK(failing.all_were_asked());
    CHECK(raw.task.state == TaskState::kCancelled);
    REQUIRE(raw.task.gaps.size() == 1);
    CHECK(raw.task.gaps[0].reading == "name of task");
  }
}

}  // namespace asyncspy
