#include "memory_scan.h"

#include "catch.h"
#include "fake_memory.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kWord = 0x7970677562656478;

Mapping map_zeros(FakeMemory& memory, std::uint64_t start, std::uint64_t pages, std::uint64_t inode) {
  Mapping mapping;
  mapping.start = Address{start};
  mapping.end = Address{start + pages * kPageSize};
  mapping.readable = mapping.writable = true;
  mapping.inode = inode;
  memory.fill(mapping.start, pages * kPageSize, std::byte{0});
  return mapping;
}

TEST_CASE("a word is found in data of files first, then in what follows them, then elsewhere") {
  FakeMemory memory;
  std::vector<Mapping> mappings = {map_zeros(memory, 0x10000, 2, 0), map_zeros(memory, 0x40000, 2, 7), map_zeros(memory, 0x42000, 2, 0)};
  for (std::uint64_t at : {0x11000, 0x41ff8, 0x42010}) memory.write(Address{at}, kWord);
  memory.write(Address{0x40004}, kWord);  // not aligned
  auto found = find_word(memory, mappings, kWord, 1 << 20, 16);
  CHECK(found == std::vector{Address{0x41ff8}, Address{0x42010}, Address{0x11000}});
  CHECK(find_word(memory, mappings, kWord, 1 << 20, 2).size() == 2);
  CHECK(find_word(memory, mappings, kWord, 4 * kPageSize, 16).size() == 2);  // so much is read, and no more
  CHECK(find_word(memory, mappings, kWord, kPageSize, 16).empty());
}

TEST_CASE("what is shared, read-only or unreadable is passed by, and holes hide nothing") {
  FakeMemory memory;
  std::vector<Mapping> mappings = {map_zeros(memory, 0x10000, 4, 7), map_zeros(memory, 0x20000, 1, 7), map_zeros(memory, 0x30000, 1, 7)};
  for (std::uint64_t at : {0x10008, 0x11008, 0x13008, 0x20008, 0x30008}) memory.write(Address{at}, kWord);
  memory.make_unreadable(Address{0x11000}, kPageSize);
  mappings[1].writable = false;
  mappings[2].shared = true;
  CHECK(find_word(memory, mappings, kWord, 1 << 20, 16) == std::vector{Address{0x10008}, Address{0x13008}});
}

}  // namespace
}  // namespace asyncspy
