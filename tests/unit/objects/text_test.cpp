#include "text.h"

#include "catch.h"
#include "failing_memory.h"
#include "fake_heap.h"
#include "layouts_under_test.h"

namespace asyncspy {

TEST_CASE("strings of every storage form are read as UTF-8") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    CHECK(read_text(reader, heap.ascii("Task-1")).value() == "Task-1");
    CHECK(read_text(reader, heap.ascii("")).value().empty());
    CHECK(read_text(reader, heap.text(U"caf\u00e9", 1)).value() == "caf\u00e9");
    CHECK(read_text(reader, heap.text(U"z\u0142oty \u20ac", 2)).value() == "z\u0142oty \u20ac");
    CHECK(read_text(reader, heap.text(U"\U0001F40D snake", 4)).value() == "\U0001F40D snake");
    CHECK(read_text(reader, heap.text(U"old \u20ac", 2, false)).value() == "old \u20ac");
  }
}

TEST_CASE("what UTF-8 can not carry is written out") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    const char32_t lone[] = {U'a', 0xDC80, U'b'};
    CHECK(read_text(reader, heap.text({lone, 3}, 2)).value() == "a\\udc80b");
    const char32_t beyond[] = {0x110000, 0xFFFFFFFF};
    CHECK(read_text(reader, heap.text({beyond, 2}, 4)).value() == "\\U00110000\\Uffffffff");
  }
}

TEST_CASE("a very long string is cut, and the cut is said") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    auto text = read_text(reader, heap.ascii(std::string(static_cast<std::size_t>(kMaxTextLength) + 7, 'x')));
    REQUIRE(text);
    CHECK(text->ends_with("x... (7 more)"));
    CHECK(text->size() == static_cast<std::size_t>(kMaxTextLength) + 12);
  }
}

TEST_CASE("what is no string is refused, not guessed") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    ObjectReader reader{heap.memory, layout};
    Address odd_kind = heap.text(U"abc", 2);
    heap.set(odd_kind, layout.text.state, 3U << 2 | 1U << 5);
    CHECK(read_text(reader, odd_kind).error().kind == ErrorKind::kCorrupt);
    Address negative = heap.ascii("abc");
    heap.set(negative, layout.text.length, -1);
    CHECK(read_text(reader, negative).error().kind == ErrorKind::kCorrupt);
    CHECK(read_text(reader, Address{}).error().kind == ErrorKind::kCorrupt);
    CHECK(read_text(reader, Address{0x1000}).error().kind == ErrorKind::kUnreadable);
    Address longer = heap.ascii("abc");
    heap.set(longer, layout.text.length, std::int64_t{1} << 60);
    CHECK(read_text(reader, longer).error().kind == ErrorKind::kUnreadable);
  }
}

TEST_CASE("characters that can not be read fail the string") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FailingMemory failing(heap.memory);
    ObjectReader reader{failing, layout};
    Address text = heap.ascii("a string whose last characters lie elsewhere");
    failing.fail_at(FakeHeap::at(text, layout.text.ascii_data) + 40);
    CHECK(read_text(reader, text).error().kind == ErrorKind::kUnreadable);
    CHECK(failing.all_were_asked());
  }
}

TEST_CASE("a C string ends at its NUL, at the limit, or fails") {
  FakeMemory memory;
  Address at = memory.write_c_string("coroutine_wrapper");
  CHECK(read_c_string(memory, at, 256).value() == "coroutine_wrapper");
  CHECK(read_c_string(memory, at, 9).value() == "coroutine");
  CHECK(read_c_string(memory, at + 10, 256).value() == "wrapper");
  CHECK_FALSE(read_c_string(memory, Address{8}, 16));
}

TEST_CASE("a C string at the end of a mapping is read without touching what follows") {
  FakeMemory memory;
  const Address page{0x5000};
  memory.fill(page, kPageSize, std::byte{'x'});
  memory.write(page + (kPageSize - 1), char{0});
  CHECK(read_c_string(memory, page + (kPageSize - 4), 256).value() == "xxx");
}

}  // namespace asyncspy
