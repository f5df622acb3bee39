#include "read_loop.h"

#include "callables.h"
#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

}  // namespace

TEST_CASE("a loop yields its queues, timers and descriptors, and what they will complete") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address slept = fake.future();
    Address received = fake.future();
    Address task = fake.task({});
    Address sleep = fake.timer(heap.real(100.5), fake.set_result_function(), {slept, heap.none()});
    Address cancelled = fake.timer(heap.real(50), fake.set_result_function(), {fake.future()}, true);
    Address whole = fake.timer(heap.integer(7), heap.function("tick"), {});
    Address odd = fake.timer(heap.ascii("soon"), heap.function("tick"), {});
    FakeAsyncio::Loop values;
    values.ready = {fake.handle(fake.step_of(task), {}), fake.timer(heap.real(20.25), heap.function("late"), {}),
                    fake.timer(heap.real(30), heap.function("later"), {}), fake.timer(heap.real(1), heap.function("gone"), {}, true)};
    values.scheduled = {sleep, cancelled, whole, odd};
    values.keys = {{5, fake.selector_key(5, fake.handle(heap.function("_read_ready"), {received}), {})},
                   {6, fake.selector_key(6, {}, fake.handle(heap.function("gone"), {fake.future()}, true))}};
    values.thread_id = heap.integer(0x7f12'3456'7890);
    values.debug = true;
    LoopIndex index;
    RawLoop raw = read_loop(inspection, fake.loop(values), index);
    CHECK(raw.loop.gaps.empty());
    CHECK(raw.loop.type == "asyncio.unix_events._UnixSelectorEventLoop");
    CHECK(raw.loop.debug == true);
    CHECK(raw.thread_id == 0x7f12'3456'7890);
    CHECK(raw.loop.ready == 4U);
    CHECK(raw.ready_deadline == 20.25);
    CHECK(index.ready_steps.contains(task));
    REQUIRE(raw.loop.timers.size() == 4);
    CHECK(raw.loop.timers[0].deadline == 100.5);
    CHECK(inspection.names.name(raw.loop.timers[0].callback) == "_set_result_unless_cancelled");
    CHECK(raw.loop.timers[1].cancelled);
    CHECK(raw.loop.timers[2].deadline == 7.0);
    CHECK(raw.loop.timers[3].deadline == std::nullopt);
    CHECK(raw.loop.timers[0].handle == sleep);
    REQUIRE(index.deadlines.contains(slept));
    CHECK(*index.deadlines.find(slept) == 100.5);
    CHECK(index.deadlines.size() == 1);
    CHECK(raw.loop.descriptors == std::vector<int>{5, 6});
    CHECK(index.descriptors.at(received).descriptor == 5);
  }
}

TEST_CASE("an idle loop has an empty queue, which is not the same as an unreadable one") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    LoopIndex index;
    RawLoop raw = read_loop(inspection, fake.loop({}), index);
    CHECK(raw.loop.ready == 0U);
    CHECK(raw.thread_id == 0);
    CHECK(raw.loop.gaps.empty());
    RawLoop torn = read_loop(inspection, Address{0x18}, index);
    CHECK(torn.loop.ready == std::nullopt);
    CHECK(torn.loop.gaps.size() == 1);
  }
}

TEST_CASE("an entry of a queue that is no handle is a gap and the others count") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    FakeAsyncio::Loop values;
    Address good = fake.timer(heap.real(5), heap.function("tick"), {});
    values.scheduled = {heap.none(), good, Address{0x8}};
    values.ready = {Address{}};
    LoopIndex index;
    RawLoop raw = read_loop(inspection, fake.loop(values), index);
    CHECK(raw.loop.gaps.size() == 3);
    REQUIRE(raw.loop.timers.size() == 1);
    CHECK(raw.loop.timers[0].handle == good);
    CHECK(raw.loop.ready == 1U);
  }
}

TEST_CASE("a callable is named through its wrappers and tells what it holds") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address self = heap.none();
    Address closed_over = fake.future();
    Address function = heap.function("Server.serve.<locals>.done", {heap.cell(closed_over), heap.cell({})});
    Callable plain = describe_callable(inspection, function);
    CHECK(plain.name == "Server.serve.<locals>.done");
    CHECK(plain.holds == std::vector<Address>{closed_over});
    Address argument = fake.future();
    Callable wrapped = describe_callable(inspection, heap.partial(heap.method(function, self), {argument}));
    CHECK(wrapped.name == "Server.serve.<locals>.done");
    CHECK(wrapped.holds == std::vector<Address>{argument, self, closed_over});
    Callable builtin = describe_callable(inspection, heap.builtin("task_wakeup", self));
    CHECK(builtin.name == "task_wakeup");
    CHECK(builtin.holds == std::vector<Address>{self});
    Address task = fake.task({});
    CHECK(describe_callable(inspection, fake.step_of(task)).holds == std::vector<Address>{task});
    CHECK(describe_callable(inspection, heap.object(heap.heap_type("app", "Caller"), 64)).name == "app.Caller");
    CHECK(describe_callable(inspection, Address{0x8}).name.empty());
  }
}

TEST_CASE("wrappers without end are given up") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Inspection inspection = inspect(heap);
    Address round = heap.method({}, heap.none());
    heap.set(round, layout.function.method_function, round);
    CHECK(describe_callable(inspection, round).holds.size() < 20);
  }
}

}  // namespace asyncspy
