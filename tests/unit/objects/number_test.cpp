#include "number.h"

#include <limits>

#include "catch.h"
#include "fake_heap.h"
#include "layouts_under_test.h"

namespace asyncspy {

TEST_CASE("integers are read with sign and all their digits") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t value : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{(1 << 30) - 1}, std::int64_t{1} << 30,
                               -(std::int64_t{1} << 30), std::int64_t{0x7f12'3456'7890}, std::int64_t{1} << 60, kLargest, -kLargest}) {
      CHECK(read_integer(reader, heap.integer(value)).value() == value);
    }
    CHECK(read_integer(reader, heap.boolean(true)).value() == 1);
    CHECK(read_integer(reader, heap.boolean(false)).value() == 0);
  }
}

TEST_CASE("integers that do not fit are refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    Address large = heap.integer(std::int64_t{1} << 60);
    heap.memory.write(FakeHeap::at(large, layout.number.digits) + 8, std::uint32_t{8});
    CHECK(read_integer(reader, large).error().kind == ErrorKind::kCorrupt);
    for (std::int64_t tag : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), std::int64_t{-64}, std::int64_t{64}}) {
      Address garbage = heap.integer(5);
      heap.set(garbage, layout.number.integer_tag, tag);
      CHECK(read_integer(reader, garbage).error().kind == ErrorKind::kCorrupt);
    }
    CHECK_FALSE(read_integer(reader, Address{}));
  }
}

TEST_CASE("floats are read bit by bit") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    CHECK(read_float(reader, heap.real(1234.5625)).value() == 1234.5625);
    CHECK(read_float(reader, heap.real(-0.1)).value() == -0.1);
    CHECK_FALSE(read_float(reader, Address{16}));
  }
}

}  // namespace asyncspy
