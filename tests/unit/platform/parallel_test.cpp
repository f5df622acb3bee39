#include "parallel.h"

#include <atomic>
#include <cstring>
#include <stdexcept>

#include "catch.h"
#include "page_block_ahead.h"

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
