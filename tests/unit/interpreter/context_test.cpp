#include "context.h"

#include <map>

#include "catch.h"
#include "fake_context.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

Inspection inspect(FakeHeap& heap) {
  return {.reader = {heap.memory, heap.layout()}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
}

Result<std::map<Address, Address>> read(FakeHeap& heap, Address context) {
  Inspection inspection = inspect(heap);
  ASYNCSPY_TRY(entries, read_context(inspection, context));
  std::map<Address, Address> found;
  for (const ContextEntry& entry : entries) found[entry.variable] = entry.value;
  CHECK(found.size() == entries.size());
  return found;
}

}  // namespace

TEST_CASE("variables of a context are found in all kinds of nodes") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeContext fake(heap);
    CHECK(read(heap, fake.context(fake.bitmap_node({})))->empty());
    std::map<Address, Address> all;
    auto add = [&](std::string_view name) {
      std::pair<Address, Address> pair{fake.variable(name), heap.ascii(name)};
      all.insert(pair);
      return pair;
    };
    Address collision = fake.collision_node({add("a"), add("b"), add("c")});
    Address inner = fake.bitmap_node({add("d"), {Address{}, collision}});
    Address array = fake.array_node({{0, inner}, {31, fake.bitmap_node({add("e")})}});
    Address root = fake.bitmap_node({add("f"), {Address{}, array}, add("g")});
    CHECK(read(heap, fake.context(root)).value() == all);
    CHECK(read(heap, fake.context(array))->size() == 5);
  }
}

TEST_CASE("what is no context, or holds no table, is refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeContext fake(heap);
    CHECK(read(heap, heap.none()).error().kind == ErrorKind::kCorrupt);
    Address context = fake.context(fake.bitmap_node({}));
    heap.set(context, layout.context.variables, heap.none());
    CHECK(read(heap, context).error().kind == ErrorKind::kCorrupt);
    CHECK(read(heap, fake.context(heap.none())).error().kind == ErrorKind::kCorrupt);
    CHECK_FALSE(read(heap, fake.context(Address{})));
    Address odd = fake.bitmap_node({});
    for (std::int64_t size : {-2, 3, 66, 1 << 30}) {
      heap.set(odd, layout.object.var_size, size);
      CHECK(read(heap, fake.context(odd)).error().kind == ErrorKind::kCorrupt);
    }
  }
}

TEST_CASE("a wrong offset of a node's items is noticed by the size that its type states") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeContext fake(heap);
    Address bitmap = fake.context(fake.bitmap_node({{fake.variable("a"), heap.none()}}));
    Address array = fake.context(fake.array_node({}));
    Address collision = fake.context(fake.collision_node({}));
    PythonLayout wrong = layout;
    wrong.context.bitmap_items.offset += 8;
    wrong.context.array_items.offset += 8;
    wrong.context.collision_items.offset += 8;
    for (Address context : {bitmap, array, collision}) {
      CHECK(read(heap, context));
      Inspection inspection{.reader = {heap.memory, wrong}, .types = {}, .codes = {}, .names = {}, .text_names = {}};
      CHECK(read_context(inspection, context).error().kind == ErrorKind::kCorrupt);
    }
  }
}

TEST_CASE("a table that leads back into itself ends") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeContext fake(heap);
    Address node = fake.bitmap_node({{Address{}, Address{}}});
    heap.memory.write(FakeHeap::at(node, layout.context.bitmap_items) + 8, node);
    CHECK(read(heap, fake.context(node)).error().kind == ErrorKind::kCorrupt);
  }
}

}  // namespace asyncspy
