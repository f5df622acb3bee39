#include "containers.h"

#include <limits>

#include "catch.h"
#include "failing_memory.h"
#include "fake_heap.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

std::vector<Address> some_items(std::size_t count) {
  std::vector<Address> items;
  for (std::size_t i = 0; i < count; ++i) items.emplace_back(0x1000 + i * 16);
  return items;
}

constexpr std::int64_t kAbsurdLengths[] = {-1, kMaxContainerItems + 1, std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max(),
                                           std::numeric_limits<std::int64_t>::max() / 3 + 2, std::numeric_limits<std::int64_t>::min()};

}  // namespace

TEST_CASE("tuples and lists yield their items in order") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    for (std::size_t count : {0U, 1U, 7U, 3000U}) {
      CHECK(read_tuple(reader, heap.tuple(some_items(count))).value() == some_items(count));
      CHECK(read_list(reader, heap.list(some_items(count))).value() == some_items(count));
    }
  }
}

TEST_CASE("a deque is read over its blocks from wherever it begins") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    for (std::size_t count : {0U, 1U, 2U, 63U, 64U, 65U, 200U}) {
      for (std::int64_t left : {0, 1, 31, 63}) {
        INFO(count << " items from " << left);
        CHECK(read_deque(reader, heap.deque(some_items(count), left)).value() == some_items(count));
      }
    }
  }
}

// popleft() of the last item of a block: leftindex becomes 64, the size is lowered, then the block is left behind.
TEST_CASE("a deque that is just leaving a block has all its items") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    const SequenceLayout& fields = layout.sequence;
    for (std::size_t count : {2U, 64U, 65U, 66U, 200U}) {
      std::vector<Address> all = some_items(count);
      std::vector<Address> rest(all.begin() + 1, all.end());
      for (std::size_t size : {count, count - 1}) {
        INFO(count << " items, size " << size);
        Address deque = heap.deque(all, 63);
        heap.set(deque, fields.deque_left_index, 64);
        heap.set(deque, fields.deque_size, size);
        CHECK(read_deque(reader, deque).value() == rest);
        Address left = *heap.memory.read_value<Address>(FakeHeap::at(deque, fields.deque_left_block));
        Address right = *heap.memory.read_value<Address>(FakeHeap::at(left, fields.deque_block_right));
        heap.set(deque, fields.deque_left_block, right);  // and leftindex is not yet 0
        CHECK(read_deque(reader, deque).value() == rest);
      }
    }
    Address deque = heap.deque(some_items(200), 63);
    heap.set(deque, fields.deque_left_index, 64);
    heap.set(deque, fields.deque_size, 150);
    CHECK(read_deque(reader, deque).error().kind == ErrorKind::kCorrupt);
  }
}

TEST_CASE("a deque whose size is not yet lowered ends at its right end") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    for (std::size_t count : {1U, 40U, 100U}) {
      Address deque = heap.deque(some_items(count), 10);
      heap.set(deque, layout.sequence.deque_size, count + 1);
      CHECK(read_deque(reader, deque).value() == some_items(count));
    }
  }
}

TEST_CASE("a set yields its members without the deleted ones") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    CHECK(read_set(reader, heap.set_of({})).value().empty());
    CHECK(read_set(reader, heap.set_of(some_items(100), {Address{0x99}, Address{0x98}})).value() == some_items(100));
  }
}

TEST_CASE("a dictionary is read in each of its forms, in insertion order") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    for (DictForm form : {DictForm::kGeneral, DictForm::kText, DictForm::kSplit}) {
      for (std::size_t count : {0U, 1U, 5U, 300U}) {  // 300: indices of two bytes
        std::vector<std::pair<Address, Address>> entries;
        for (std::size_t i = 0; i < count; ++i) entries.emplace_back(Address{0x1000 + i}, Address{0x2000 + i});
        auto read = read_dict(reader, heap.dict(entries, form));
        REQUIRE(read);
        REQUIRE(read->size() == count);
        for (std::size_t i = 0; i < count; ++i) {
          CHECK((*read)[i].key == entries[i].first);
          CHECK((*read)[i].value == entries[i].second);
        }
      }
    }
  }
}

TEST_CASE("deleted dictionary entries and unset split values are left out") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    Address deleted = heap.dict({{Address{0x10}, Address{0x20}}, {Address{}, Address{}}, {Address{0x11}, Address{}}, {Address{0x12}, Address{0x22}}});
    auto read = read_dict(reader, deleted);
    REQUIRE(read);
    REQUIRE(read->size() == 2);
    CHECK((*read)[1].value == Address{0x22});
    Address split = heap.dict({{Address{0x10}, Address{}}, {Address{0x11}, Address{0x21}}}, DictForm::kSplit);
    auto values = read_dict(reader, split);
    REQUIRE(values);
    REQUIRE(values->size() == 1);
    CHECK(values->front().key == Address{0x11});
    CHECK(values->front().value == Address{0x21});
  }
}

TEST_CASE("a key is found by its text among keys of other types and lengths") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    Address tuple_key = heap.tuple({Address{1}, Address{2}, Address{3}, Address{4}, Address{5}});  // as long as "_coro"
    Address dict = heap.dict({{tuple_key, Address{0x1}}, {Address{8}, Address{0x2}}, {heap.ascii("_core"), Address{0x3}}, {heap.ascii("_coro"), Address{0x4}}},
                             DictForm::kGeneral);
    CHECK(find_in_dict(reader, dict, "_coro").value() == Address{0x4});
    CHECK(find_in_dict(reader, dict, "_loop").value() == std::nullopt);
    CHECK(find_in_dict(reader, heap.dict(std::vector<FakeEntry>{}), "x").value() == std::nullopt);
  }
}

TEST_CASE("lengths that nothing has are refused before anything is copied") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    for (std::int64_t length : kAbsurdLengths) {
      INFO("length " << length);
      Address tuple = heap.tuple(some_items(2));
      heap.set(tuple, layout.sequence.tuple_size, length);
      CHECK(read_tuple(reader, tuple).error().kind == ErrorKind::kCorrupt);
      Address list = heap.list(some_items(2));
      heap.set(list, layout.sequence.list_size, length);
      CHECK(read_list(reader, list).error().kind == ErrorKind::kCorrupt);
      Address deque = heap.deque(some_items(2));
      heap.set(deque, layout.sequence.deque_size, length);
      CHECK(read_deque(reader, deque).error().kind == ErrorKind::kCorrupt);
      Address set = heap.set_of(some_items(2));
      heap.set(set, layout.dict.set_mask, length);
      CHECK(read_set(reader, set).error().kind == ErrorKind::kCorrupt);
      Address dict = heap.dict({{Address{1}, Address{2}}});
      Address keys = *heap.memory.read_value<Address>(FakeHeap::at(dict, layout.dict.keys));
      heap.set(keys, layout.dict.keys_used_entries, length);
      CHECK(read_dict(reader, dict).error().kind == ErrorKind::kCorrupt);
    }
    Address deque = heap.deque(some_items(2));
    heap.set(deque, layout.sequence.deque_left_index, 65);
    CHECK(read_deque(reader, deque).error().kind == ErrorKind::kCorrupt);
    heap.set(deque, layout.sequence.deque_left_index, -1);
    CHECK(read_deque(reader, deque).error().kind == ErrorKind::kCorrupt);
  }
}

TEST_CASE("an index table of an absurd size is refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    Address dict = heap.dict({{Address{1}, Address{2}}});
    Address keys = *heap.memory.read_value<Address>(FakeHeap::at(dict, layout.dict.keys));
    heap.set(keys, layout.dict.keys_size, std::int64_t{-8});
    heap.set(keys, layout.dict.keys_log2_index_bytes, 200);
    CHECK(read_dict(reader, dict).error().kind == ErrorKind::kCorrupt);
  }
}

TEST_CASE("one item that can not be read fails the container and names the place") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FailingMemory failing(heap.memory);
    ObjectReader reader{failing, layout};
    Address tuple = heap.tuple(some_items(50));
    Address place = FakeHeap::at(tuple, layout.sequence.tuple_items) + 30 * 8;
    failing.fail_at(place);
    auto read = read_tuple(reader, tuple);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::kUnreadable);
    CHECK(read.error().at == place);
    CHECK(failing.all_were_asked());
  }
}

TEST_CASE("a deque whose blocks go round ends with its length") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    Address deque = heap.deque(some_items(65));
    Address block = *heap.memory.read_value<Address>(FakeHeap::at(deque, layout.sequence.deque_left_block));
    heap.set(block, layout.sequence.deque_block_right, block);
    heap.set(deque, layout.sequence.deque_right_block, Address{8});
    heap.set(deque, layout.sequence.deque_size, 10'000);
    CHECK(read_deque(reader, deque).value().size() == 10'000);
  }
}

}  // namespace asyncspy
