#include "find_runtime_fallbacks.h"

#include "catch.h"
#include "fake_memory.h"
#include "runtime.h"
#include "versions.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kCodeAt = 0x400000;

// `mov rax,[rip+distance]; ret`, at kCodeAt.
LoadedImage image_with_head(FakeMemory& memory, Address head) {
  std::vector<unsigned char> code = {0x48, 0x8b, 0x05, 0, 0, 0, 0, 0xc3};
  auto distance = static_cast<std::uint32_t>(head.value() - (kCodeAt + 7));
  std::memcpy(code.data() + 3, &distance, sizeof(distance));
  code.resize(32, 0xcc);
  memory.write_bytes(Address{kCodeAt}, std::as_bytes(std::span(code)));
  LoadedImage image;
  image.path = "/opt/service";
  image.interpreter_head = Address{kCodeAt};
  return image;
}

void write_mark(FakeMemory& memory, Address at, std::uint64_t version, std::uint64_t free_threaded = 0) {
  memory.fill(at, 64, std::byte{0});
  memory.write_bytes(at, std::as_bytes(std::span("xdebugpy", 8)));
  memory.write(at + 8, version);
  memory.write(at + 16, free_threaded);
}

LoadedImage place_without_symbol(Address at) {
  LoadedImage image;
  image.path = "/opt/service";
  image.runtime = at;
  return image;
}

TEST_CASE("the code of PyInterpreterState_Head leads to a place for each distance that a release has") {
  FakeMemory memory;
  const Address head{0x600000};
  const std::vector<LoadedImage> images = {image_with_head(memory, head)};
  const auto places = find_runtime_places(memory, images);
  REQUIRE(places.size() == 3);  // later releases have a mark there
  for (unsigned minor = 7; minor <= 12; ++minor) {
    int count = 0;
    for (const RuntimePlace& place : places) {
      if (minor < place.first_minor || minor > place.last_minor) continue;
      ++count;
      CHECK(place.runtime + static_cast<std::uint64_t>(find_layouts(minor)[0].runtime.interpreters_head.offset) == head);
      CHECK_FALSE(place.guess.empty());
    }
    CHECK(count == 1);
  }
}

TEST_CASE("a release that states its version is looked for where it must be") {
  for (unsigned minor = 13; minor <= 15; ++minor) {
    FakeMemory memory;
    const Address runtime{0x600000};
    write_mark(memory, runtime, 0x030000f0 | minor << 16);
    auto offset = static_cast<std::uint64_t>(find_layouts(minor)[0].runtime.interpreters_head.offset);
    const std::vector<LoadedImage> images = {image_with_head(memory, runtime + offset)};
    const auto places = find_runtime_places(memory, images);
    REQUIRE(places.size() == 4);
    CHECK(places.back().runtime == runtime);
    CHECK(places.back().first_minor == minor);
  }
  FakeMemory memory;
  std::vector<LoadedImage> images = {image_with_head(memory, Address{0x600000})};
  images[0].version = Address{0x700000};
  memory.write(images[0].version, std::uint32_t{0x030c01f0});
  const auto places = find_runtime_places(memory, images);
  REQUIRE(places.size() == 1);
  CHECK((places[0].first_minor == 12 && places[0].last_minor == 12));
}

TEST_CASE("symbols are believed first, then code, then content") {
  FakeMemory memory;
  write_mark(memory, Address{0x600000}, 0x030d00f0);
  LoadedImage with_symbol = place_without_symbol(Address{0x800000});
  with_symbol.interpreter_head = Address{0x1000};
  const std::vector<LoadedImage> images = {place_without_symbol(Address{0x600000}), with_symbol, image_with_head(memory, Address{0x900000})};
  const auto places = find_runtime_places(memory, images);
  REQUIRE(places.size() == 5);
  CHECK((places.front().image == &images[1] && places.front().guess.empty()));
  CHECK(places[1].image == &images[2]);
  CHECK((places.back().image == &images[0] && !places.back().guess.empty()));
}

TEST_CASE("the mark alone is not an interpreter") {
  for (std::uint64_t version : {std::uint64_t{0}, std::uint64_t{0x6170672e}, std::uint64_t{0x030c00f0}, std::uint64_t{0x030e0000},
                                std::uint64_t{0x1030e00f0}}) {
    FakeMemory memory;
    write_mark(memory, Address{0x600000}, version);
    const std::vector<LoadedImage> images = {place_without_symbol(Address{0x600000})};
    CHECK(find_runtime_places(memory, images).empty());
    auto runtime = find_runtime(memory, images);
    REQUIRE_FALSE(runtime);
    CHECK(runtime.error().kind == ErrorKind::kNotPython);
  }
}

TEST_CASE("releases that are not known and free-threaded builds are refused by name, however they were found") {
  FakeMemory memory;
  write_mark(memory, Address{0x600000}, 0x031000a1);
  write_mark(memory, Address{0x610000}, 0x030e01f0, 1);
  LoadedImage unknown = place_without_symbol(Address{0x600000});
  LoadedImage free_threaded = place_without_symbol(Address{0x610000});
  for (bool has_symbols : {false, true}) {
    if (has_symbols) unknown.interpreter_head = free_threaded.interpreter_head = Address{0x1000};
    auto refused = find_runtime(memory, {unknown});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::kUnsupported);
    CHECK(refused.error().what.find("3.16.0a1") != std::string::npos);
    refused = find_runtime(memory, {free_threaded});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::kUnsupported);
    CHECK(refused.error().what.find("3.14.1: free-threaded") != std::string::npos);
  }
}

TEST_CASE("an unknown release without the symbol is not taken for an old one") {
  FakeMemory memory;
  std::vector<LoadedImage> images = {image_with_head(memory, Address{0x600000})};
  images[0].version = Address{0x700000};
  memory.write(images[0].version, std::uint32_t{0x031000a1});
  auto refused = find_runtime(memory, images);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::kUnsupported);
  CHECK(refused.error().what.find("3.16.0a1") != std::string::npos);
}

TEST_CASE("Python 2 and 3.6 have the function and no _PyRuntime: too old") {
  FakeMemory memory;
  memory.fill(Address{0x600000 - 64}, 64 * 1024, std::byte{0});
  memory.write(Address{0x600000}, Address{0x601000});  // an interpreter state of theirs
  auto refused = find_runtime(memory, {image_with_head(memory, Address{0x600000})});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::kUnsupported);
  CHECK(refused.error().what.find("/opt/service is older than 3.7") != std::string::npos);
}

}  // namespace
}  // namespace asyncspy
