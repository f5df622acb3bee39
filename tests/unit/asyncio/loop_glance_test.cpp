#include "loop_glance.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

}  // namespace

TEST_CASE("a glance at a loop tells what is ready and when its first timer is due") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    FakeAsyncio::Loop values;
    values.ready = {fake.handle(heap.function("tick"), {}), fake.timer(heap.real(20.25), heap.function("late"), {}),
                    fake.timer(heap.real(1), heap.function("gone"), {}, true)};
    values.scheduled = {fake.timer(heap.real(100.5), heap.function("tick"), {}), fake.timer(heap.real(200), heap.function("tick"), {})};
    const LoopGlance glance = glance_at_loop(inspection, fake.loop(values));
    CHECK(glance.ready == 3U);
    CHECK(glance.ready_deadline == 20.25);
    CHECK(glance.first_timer == 100.5);
  }
}

TEST_CASE("a first timer that is cancelled does not count") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    FakeAsyncio::Loop values;
    values.scheduled = {fake.timer(heap.real(50), heap.function("tick"), {}, true), fake.timer(heap.real(300), heap.function("tick"), {}),
                        fake.timer(heap.real(200), heap.function("tick"), {})};
    const LoopGlance glance = glance_at_loop(inspection, fake.loop(values));
    CHECK(glance.ready == 0U);
    CHECK(glance.first_timer == 200.0);
  }
}

TEST_CASE("a glance at what is no loop tells nothing") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    for (const Address nothing : {Address{0x18}, fake.future(), heap.none()}) {
      const LoopGlance glance = glance_at_loop(inspection, nothing);
      CHECK(glance.ready == std::nullopt);
      CHECK(glance.first_timer == std::nullopt);
    }
  }
}

}  // namespace asyncspy
