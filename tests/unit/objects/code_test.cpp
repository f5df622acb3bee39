#include "code.h"

#include <limits>

#include "catch.h"
#include "fake_frames.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

constexpr FakeFunction kFetch{.name = "fetch", .qualified_name = "Client.fetch", .file = "/srv/client.py", .first_line = 40, .flags = kCoroutineFlag};

}  // namespace

TEST_CASE("a code object yields its function, its extent and its lines, and is read once") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    ObjectReader reader{heap.memory, layout};
    CodeTable codes;
    Address at = frames.code(kFetch);
    auto code = codes.find(reader, at);
    REQUIRE(code);
    CHECK((*code)->size == kFakeCodeSize);
    CHECK((*code)->start == frames.bytecode_of(at));
    CHECK((*code)->flags == kCoroutineFlag);
    const Function& function = codes.functions()[(*code)->function];
    CHECK(function.name == "fetch");
    CHECK(function.qualified_name == (layout.code.qualified_name.present() ? "Client.fetch" : "fetch"));
    CHECK(function.file == "/srv/client.py");
    CHECK(function.first_line == 40);
    CHECK(codes.line_at(reader, **code, kCallOffset) == 41);
    CHECK(codes.line_at(reader, **code, kAwaitOffset) == 42);
    CHECK(codes.line_at(reader, **code, kYieldOffset) == 43);
    CHECK(codes.line_at(reader, **code, kFakeCodeSize + 2) == 0);
    const std::uint64_t reads = heap.memory.reads();
    CHECK(codes.find(reader, at).value() == *code);
    CHECK(heap.memory.reads() == reads);
    CHECK(codes.functions().size() == 1);
  }
}

TEST_CASE("what is no code object is refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    ObjectReader reader{heap.memory, layout};
    CodeTable codes;
    CHECK(codes.find(reader, heap.none()).error().kind == ErrorKind::kCorrupt);
    CHECK_FALSE(codes.find(reader, Address{}));
    CHECK(codes.functions().empty());
  }
}

TEST_CASE("absurd sizes of bytecode and line table are refused") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeFrames frames(heap);
    ObjectReader reader{heap.memory, layout};
    for (std::int64_t size : {std::int64_t{-1}, std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
      INFO("size " << size);
      CodeTable codes;
      Address code = frames.code(kFetch);
      Address table = *heap.memory.read_value<Address>(FakeHeap::at(code, layout.code.line_table));
      heap.set(table, layout.sequence.bytes_size, size);
      CHECK(codes.find(reader, code).error().kind == ErrorKind::kCorrupt);
      Address other = frames.code(kFetch);
      if (layout.code.code_units.present()) {
        heap.set(other, layout.code.code_units, size);
      } else {
        heap.set(*heap.memory.read_value<Address>(FakeHeap::at(other, layout.code.bytecode)), layout.sequence.bytes_size, size);
      }
      CHECK(codes.find(reader, other).error().kind == ErrorKind::kCorrupt);
    }
  }
}

}  // namespace asyncspy
