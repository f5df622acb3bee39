#include "handles.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

}  // namespace

TEST_CASE("a handle yields its callback, arguments and state; a timer its deadline") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address callback = heap.function("tick");
    Address plain = fake.handle(callback, {heap.none(), callback}, true);
    auto handle = read_handle(inspection, plain);
    REQUIRE(handle);
    CHECK(handle->address == plain);
    CHECK(handle->callback == callback);
    CHECK(handle->arguments == std::vector<Address>{heap.none(), callback});
    CHECK(handle->cancelled);
    CHECK(handle->when == std::nullopt);
    auto timer = read_handle(inspection, fake.timer(heap.real(12.75), callback, {}));
    REQUIRE(timer);
    CHECK(timer->when == 12.75);
    CHECK_FALSE(timer->cancelled);
    CHECK(read_handle(inspection, fake.timer(heap.integer(-3), callback, {}))->when == -3.0);
  }
}

TEST_CASE("the arguments of a cancelled handle may be gone") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    Inspection inspection = inspect(heap);
    Address handle = fake.handle(heap.none(), {}, true);
    heap.memory.write(handle + 24, heap.none());
    auto read = read_handle(inspection, handle);
    REQUIRE(read);
    CHECK(read->arguments.empty());
  }
}

TEST_CASE("an object without the slots of a handle is refused by its type's name") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Inspection inspection = inspect(heap);
    auto read = read_handle(inspection, heap.object(heap.heap_type("app", "NoHandle"), 64));
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::kCorrupt);
    CHECK(read.error().what.find("app.NoHandle") != std::string::npos);
  }
}

}  // namespace asyncspy
