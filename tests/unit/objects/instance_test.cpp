#include "instance.h"

#include <limits>

#include "catch.h"
#include "failing_memory.h"
#include "fake_heap.h"
#include "layouts_under_test.h"

namespace asyncspy {

TEST_CASE("attributes are found where the release keeps them") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    Address type_at = heap.instance_type("app", "Loop", {"_ready", "_scheduled", "_debug"});
    Address loop = heap.instance(type_at, {Address{0x10}, Address{}, Address{0x30}});
    auto type = types.of(reader, loop);
    REQUIRE(type);
    auto all = read_attributes(reader, **type, loop);
    REQUIRE(all);
    REQUIRE(all->size() == 2);  // _scheduled is not set
    CHECK((*all)[0].value == Address{0x10});
    CHECK((*all)[1].value == Address{0x30});
    CHECK(find_attribute(reader, types, **type, loop, "_debug").value() == Address{0x30});
    CHECK(find_attribute(reader, types, **type, loop, "_scheduled").value() == std::nullopt);
  }
}

TEST_CASE("attributes are found in a dictionary that was made for the instance alone") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    Address type_at = heap.instance_type("app", "Loop", {"_ready"});
    Address loop = heap.instance_with_dict(type_at, heap.dict(std::vector<FakeEntry>{{"own", Address{0x77}}}));
    auto type = types.of(reader, loop);
    REQUIRE(type);
    CHECK(find_attribute(reader, types, **type, loop, "own").value() == Address{0x77});
    CHECK(find_attribute(reader, types, **type, loop, "_ready").value() == std::nullopt);
  }
}

TEST_CASE("an instance without attributes has none, and that is no error") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    Address empty = heap.object(heap.instance_type("app", "Empty", {"x"}), FakeHeap::kInstanceSize + 32);
    CHECK(read_attributes(reader, **types.of(reader, empty), empty).value().empty());
    Address plain = heap.object(heap.static_type("plain"), 16);
    CHECK(read_attributes(reader, **types.of(reader, plain), plain).value().empty());
  }
}

TEST_CASE("slots are read beside the dictionary, and an unset one is none") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    Address object = heap.object(heap.slotted_type("asyncio.events", "Handle", {"_callback", "_args"}), 64);
    heap.memory.write(object + 16, Address{0x1230});
    auto type = types.of(reader, object);
    REQUIRE(type);
    CHECK(find_attribute(reader, types, **type, object, "_callback").value() == Address{0x1230});
    CHECK(find_attribute(reader, types, **type, object, "_args").value() == std::nullopt);
    CHECK(find_attribute(reader, types, **type, object, "_none").value() == std::nullopt);
  }
}

TEST_CASE("the dictionary of a variable-sized object lies behind its items") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    TypeTable types;
    Address type = heap.heap_type("app", "Bag", {.basic_size = 40, .item_size = 8, .dict_offset = -8});
    Address bag = heap.object(type, 40 + 3 * 8);
    heap.set(bag, layout.object.var_size, -3);  // a negative count is a negative int's: its absolute value counts
    heap.memory.write(bag + (40 + 3 * 8 - 8), heap.dict(std::vector<FakeEntry>{{"tag", Address{0x42}}}));
    CHECK(find_attribute(reader, types, **types.of(reader, bag), bag, "tag").value() == Address{0x42});
    for (std::int64_t count : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
      heap.set(bag, layout.object.var_size, count);
      CHECK(read_attributes(reader, **types.of(reader, bag), bag).error().kind == ErrorKind::kCorrupt);
    }
  }
}

TEST_CASE("attributes that can not be read are an error, not an empty dictionary") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    TypeTable types;
    Address type_at = heap.instance_type("app", "Loop", {"_ready"});
    Address loop = heap.instance(type_at, {Address{0x10}});
    ObjectReader good{heap.memory, layout};
    auto type = types.of(good, loop);
    REQUIRE(type);
    FailingMemory failing(heap.memory);
    failing.fail_at(*heap.memory.read_value<Address>(FakeHeap::at(type_at, layout.type.cached_keys)));
    auto read = read_attributes({failing, layout}, **type, loop);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::kUnreadable);
    CHECK(failing.all_were_asked());
  }
}

}  // namespace asyncspy
