#include "address_map.h"

#include <unordered_map>

#include "catch.h"

namespace asyncspy {

TEST_CASE("an address map keeps the first value of each key, and never null") {
  AddressMap<int> map;
  CHECK_FALSE(map.contains(Address{0x10}));
  CHECK(map.add(Address{0x10}, 1));
  CHECK_FALSE(map.add(Address{0x10}, 2));
  CHECK_FALSE(map.add(Address{}, 3));
  CHECK_FALSE(map.contains(Address{}));
  REQUIRE(map.find(Address{0x10}) != nullptr);
  CHECK(*map.find(Address{0x10}) == 1);
  CHECK(map.size() == 1);
}

TEST_CASE("an address map holds what a standard one holds, also for keys that collide") {
  for (std::uint64_t stride : {std::uint64_t{1}, std::uint64_t{16}, std::uint64_t{4096}, std::uint64_t{1} << 40}) {
    INFO("stride " << stride);
    AddressMap<std::uint64_t> map;
    std::unordered_map<Address, std::uint64_t> expected;
    for (std::uint64_t i = 0; i < 5000; ++i) {
      const Address key{(i * i % 4001 + 1) * stride};
      CHECK(map.add(key, i) == expected.emplace(key, i).second);
    }
    CHECK(map.size() == expected.size());
    for (const auto& [key, value] : expected) {
      REQUIRE(map.contains(key));
      CHECK(*map.find(key) == value);
      CHECK(map.contains(key + 1) == expected.contains(key + 1));
    }
  }
}

TEST_CASE("room that is reserved changes nothing else") {
  AddressSet set;
  set.reserve(1000);
  CHECK(set.add(Address{8}));
  CHECK_FALSE(set.add(Address{8}));
  set.reserve(100'000);
  CHECK(set.contains(Address{8}));
  CHECK_FALSE(set.contains(Address{16}));
}

}  // namespace asyncspy
