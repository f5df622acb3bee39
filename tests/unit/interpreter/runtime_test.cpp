#include "runtime.h"

#include "catch.h"
#include "fake_asyncio.h"
#include "layouts_under_test.h"

namespace asyncspy {
namespace {

LoadedImage image_at(Address runtime) {
  LoadedImage image;
  image.path = "/usr/bin/python3";
  image.runtime = runtime;
  return image;
}

Error error_for(FakeMemory& memory, const std::vector<LoadedImage>& images) {
  auto runtime = find_runtime(memory, images);
  REQUIRE_FALSE(runtime);
  return runtime.error();
}

}  // namespace

TEST_CASE("versions are written as Python writes them") {
  CHECK(format_version(0x030b07f0) == "3.11.7");
  CHECK(format_version(0x030e00c2) == "3.14.0rc2");
  CHECK(format_version(0x030f00a1) == "3.15.0a1");
  CHECK(format_version(0x030f00b4) == "3.15.0b4");
}

TEST_CASE("a process without an interpreter, with PyPy or with an old one is refused for what it is") {
  FakeMemory memory;
  CHECK(error_for(memory, {}).kind == ErrorKind::kNotPython);
  LoadedImage pypy;
  pypy.looks_like_pypy = true;
  CHECK(error_for(memory, {pypy}).kind == ErrorKind::kUnsupported);
  CHECK(error_for(memory, {pypy}).what.find("PyPy") != std::string::npos);
  LoadedImage old;
  old.path = "/usr/bin/python3.6";
  old.interpreter_head = Address{0x1000};
  CHECK(error_for(memory, {old}).kind == ErrorKind::kUnsupported);
  CHECK(error_for(memory, {old}).what.find("/usr/bin/python3.6") != std::string::npos);
}

TEST_CASE("versions outside 3.7 to 3.15 are refused by their number") {
  for (std::uint32_t version : {0x02071200U, 0x031000f0U, 0x040000f0U, 0xFFFFFFFFU, 0U}) {
    FakeMemory memory;
    LoadedImage image = image_at(memory.allocate(2048));
    image.version = memory.allocate(16);
    memory.write(image.version, version);
    Error error = error_for(memory, {image});
    CHECK(error.kind == ErrorKind::kUnsupported);
    CHECK(error.what.find(format_version(version)) != std::string::npos);
  }
}

TEST_CASE("a free-threaded build is refused as that") {
  FakeMemory memory;
  LoadedImage image = image_at(memory.allocate(2048));
  memory.write_bytes(image.runtime, std::as_bytes(std::span("xdebugpy", 8)));
  memory.write(image.runtime + 8, std::uint64_t{0x030e00f0});
  memory.write(image.runtime + 16, std::uint64_t{1});
  Error error = error_for(memory, {image});
  CHECK(error.kind == ErrorKind::kUnsupported);
  CHECK(error.what.find("free-threaded") != std::string::npos);
}

TEST_CASE("an interpreter that is starting or has ended is no Python process yet") {
  for (unsigned minor : {11U, 12U}) {
    FakeMemory memory;
    LoadedImage image = image_at(memory.allocate(64 * 1024));
    image.version = memory.allocate(16);
    memory.write(image.version, 0x030000f0U | minor << 16);
    CHECK(error_for(memory, {image}).kind == ErrorKind::kNotPython);
  }
}

TEST_CASE("all interpreters are listed, the main one first, with their locks") {
  FOR_EACH_LAYOUT(layout) {
    FakeHeap heap(layout);
    FakeAsyncio fake(heap);
    ObjectReader reader{heap.memory, layout};
    Address main = fake.interpreter({});
    Address sub = fake.interpreter({});
    heap.set(sub, layout.interpreter.next, main);
    heap.set(sub, layout.interpreter.id, 1);
    Address gil = heap.memory.allocate(512);
    heap.set(main, layout.interpreter.gil, gil);
    heap.set(sub, layout.interpreter.gil, gil);
    heap.set(gil, layout.gil.last_holder, Address{0xABC0});
    heap.set(gil, layout.gil.locked, 1);
    Runtime runtime;
    runtime.address = heap.memory.allocate(4096);
    heap.set(runtime.address, layout.runtime.interpreters_head, sub);
    heap.set(runtime.address, layout.runtime.gil_last_holder, Address{0xABC0});
    heap.set(runtime.address, layout.runtime.gil_locked, 1);
    auto found = read_interpreters(reader, runtime);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].address == main);
    CHECK((*found)[1].id == 1);
    CHECK((*found)[0].gil_holder == Address{0xABC0});
    CHECK((*found)[0].gil_locked);
    heap.set(main, layout.interpreter.next, main);  // goes round: bounded
    auto bounded = read_interpreters(reader, runtime);
    REQUIRE(bounded);
    CHECK(bounded->size() <= 1024);
  }
}

}  // namespace asyncspy
