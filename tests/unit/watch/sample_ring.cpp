#include "sample_ring.h"

#include "catch.h"
#include "is_near.h"

namespace asyncspy {
namespace {

LightLoop loop(std::uint64_t id, std::size_t frames = 1) {
  LightLoop made;
  made.id = Address{id};
  for (std::size_t i = 0; i < frames; ++i) made.stack.push_back({"f" + std::to_string(i), "/srv/app.py", 1});
  return made;
}

}  // namespace

TEST_CASE("a ring keeps the samples of its seconds, with times before the moment") {
  SampleRing ring(10);
  for (int i = 0; i < 30; ++i) ring.add(i, loop(i % 2 == 0 ? 0x10 : 0x20));
  const auto all = ring.since(29.5, {});
  REQUIRE(all.size() == 10);
  CHECK(is_near(all.front().seconds, -9.5));
  CHECK(is_near(all.back().seconds, -0.5));
  CHECK(ring.since(29.5, Address{0x20}).size() == 5);
  CHECK(ring.since(100, {}).empty());
}

TEST_CASE("a ring stays small, however many and deep its samples are") {
  SampleRing ring(1e9);
  for (int i = 0; i < 10'000; ++i) ring.add(i, loop(0x10, 300));
  const auto all = ring.since(10'000, {});
  CHECK(all.size() == 2000);
  CHECK(all.back().loop.stack.size() == 40);
  CHECK(all.back().loop.stack.back().function == "f299");  // the innermost ones are what counts
}

}  // namespace asyncspy
