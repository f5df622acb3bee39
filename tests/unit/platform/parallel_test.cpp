#include "parallel.h"

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "catch.h"
#include "heap_room.h"
#include "page_block_ahead.h"
#include "touch_pages.h"

namespace asyncspy {

TEST_CASE("what one of several threads throws is thrown to who called them, after all have ended") {
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  const auto work = [&] {
    ++begun;
    if (ended.fetch_add(1) == 0) throw std::runtime_error("no room");
  };
  CHECK_THROWS_WITH(work_together(3, work), "no room");
  CHECK(begun == ended);
}

TEST_CASE("pages that are brought keep their content") {
  constexpr std::size_t kBytes = std::size_t{3} << 20;
  PageBlock block(kBytes);
  std::memset(block.bytes() + 5000, 0x5A, 9000);
  static_cast<void>(bring_pages(reinterpret_cast<std::uintptr_t>(block.bytes()), kBytes));
  CHECK(block.bytes()[5000] == std::byte{0x5A});
  CHECK(block.bytes()[13'999] == std::byte{0x5A});
  CHECK(block.bytes()[14'000] == std::byte{0});
}

TEST_CASE("room on the heap that is still being made does not touch what has been put there") {
  std::vector<std::unique_ptr<std::vector<unsigned char>>> kept;
  {
    const HeapRoom room(std::size_t{12} << 20);
    for (unsigned i = 0; i < 10'000; ++i) kept.push_back(std::make_unique<std::vector<unsigned char>>(1000, static_cast<unsigned char>(i)));
  }
  for (unsigned i = 0; i < kept.size(); ++i) {
    REQUIRE(kept[i]->front() == static_cast<unsigned char>(i));
    REQUIRE(kept[i]->back() == static_cast<unsigned char>(i));
  }
}

TEST_CASE("a block that is made ahead is handed out whole, and given back when nobody wants it") {
  constexpr std::size_t kBytes = (std::size_t{7} << 20) + 4096;
  PageBlockAhead ahead(kBytes);
  PageBlock block = ahead.finish();
  REQUIRE(block.size() == kBytes);
  std::memset(block.bytes(), 1, kBytes);
  CHECK(block.bytes()[kBytes - 1] == std::byte{1});
  PageBlockAhead unwanted(kBytes);
}

}  // namespace asyncspy
