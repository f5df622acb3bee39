#include "type.h"

#include "catch.h"
#include "failing_memory.h"
#include "fake_heap.h"
#include "layouts_under_test.h"

namespace asyncspy {

TEST_CASE("a heap type is called by its module and qualified name, a static one by tp_name") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    auto worker = types.find(reader, heap.heap_type("app.workers", "Outer.Worker"));
    REQUIRE(worker);
    CHECK((*worker)->name == "app.workers.Outer.Worker");
    CHECK((*worker)->short_name() == "Worker");
    CHECK((*worker)->is_heap_type());
    CHECK((*types.find(reader, heap.heap_type("builtins", "Plain")))->name == "Plain");
    CHECK((*types.find(reader, heap.static_type("_asyncio.Future")))->name == "_asyncio.Future");
    CHECK((*types.of(reader, heap.none()))->name == "NoneType");
  }
}

TEST_CASE("the types that take part in awaiting are told apart, and impostors by name are not taken for them") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    const std::pair<std::string_view, TypeKind> known[] = {
        {"coroutine", TypeKind::kCoroutine},
        {"generator", TypeKind::kGenerator},
        {"async_generator", TypeKind::kAsyncGenerator},
        {"coroutine_wrapper", TypeKind::kCoroutineWrapper},
        {"async_generator_asend", TypeKind::kAsyncGeneratorSend},
        {"async_generator_athrow", TypeKind::kAsyncGeneratorThrow},
        {"anext_awaitable", TypeKind::kAnextAwaitable},
        {"_asyncio.FutureIter", TypeKind::kFutureIterator},
        {"int", TypeKind::kOther},
    };
    for (const auto& [name, kind] : known) {
      INFO(name);
      CHECK((*types.find(reader, heap.static_type(name)))->kind == kind);
    }
    CHECK((*types.find(reader, heap.heap_type("builtins", "coroutine")))->kind == TypeKind::kOther);
  }
}

TEST_CASE("Cython's coroutines are told by their member table") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    FakeType members{.members = {{"cr_running", 200}, {"cr_await", 48}, {"cr_code", 104}, {"__module__", 88}}};
    auto type = types.find(reader, heap.static_type("_cython_3_0_8.coroutine", members));
    REQUIRE(type);
    CHECK((*type)->kind == TypeKind::kCythonCoroutine);
    CHECK((*type)->cython.delegate == 48);
    CHECK((*type)->cython.qualified_name == 80);
  }
}

TEST_CASE("a slot is found in the class that declares it") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    Address base = heap.slotted_type("asyncio.events", "Handle", {"_callback", "_args", "_cancelled"});
    Address derived = heap.heap_type("app", "MyHandle", {.bases = {base}});
    auto type = types.find(reader, derived);
    REQUIRE(type);
    CHECK(types.slot_offset(reader, **type, "_args").value() == 24);
    CHECK(types.slot_offset(reader, **type, "_args").value() == 24);  // the second time from what is known
    CHECK(types.slot_offset(reader, **type, "_when").value() == std::nullopt);
    CHECK(types.inherits(reader, **type, "asyncio.events.Handle"));
    CHECK_FALSE(types.inherits(reader, **type, "asyncio.events.TimerHandle"));
  }
}

TEST_CASE("what is no type is refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    Address type = heap.static_type("odd");
    heap.set(type, layout.type.basic_size, 3);
    CHECK(types.find(reader, type).error().kind == ErrorKind::kCorrupt);
    CHECK_FALSE(types.find(reader, Address{}));
    CHECK_FALSE(types.find(reader, Address{0xdead0}));
    Address crowd = heap.static_type("crowd");
    heap.set(crowd, layout.type.mro, heap.tuple(std::vector<Address>(1000, crowd)));
    CHECK(types.find(reader, crowd).error().kind == ErrorKind::kCorrupt);
  }
}

TEST_CASE("a slot with an offset that no object has is refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    Address member = heap.memory.allocate(40);
    heap.set(member, layout.descriptor.member_offset, std::int64_t{1} << 50);
    Address descriptor = heap.object(heap.static_type("member_descriptor"), layout.descriptor.member.offset + 8);
    heap.set(descriptor, layout.descriptor.member, member);
    auto type = types.find(reader, heap.heap_type("app", "C", {.dict = {{"x", descriptor}}}));
    REQUIRE(type);
    CHECK(types.slot_offset(reader, **type, "x").error().kind == ErrorKind::kCorrupt);
  }
}

TEST_CASE("a type whose name can not be read is not remembered as known") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    Address type = heap.static_type("late");
    Address name = *heap.memory.read_value<Address>(FakeHeap::at(type, layout.type.name));
    FailingMemory failing(heap.memory);
    failing.fail_at(name);
    TypeTable types;
    CHECK_FALSE(types.find({failing, layout}, type));
    CHECK(failing.all_were_asked());
    CHECK((*types.find({heap.memory, layout}, type))->name == "late");
  }
}

}  // namespace asyncspy
