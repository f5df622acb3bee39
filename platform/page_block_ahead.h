// Room that is made while something else is done.
#pragma once

#include <thread>

#include "page_block.h"
#include "touch_pages.h"

namespace asyncspy {

class PageBlockAhead {
 public:
  // A thread of its own begins to touch it, where the machine has a processor for that. Throws as PageBlock does.
  explicit PageBlockAhead(std::uint64_t bytes);
  PageBlockAhead(const PageBlockAhead&) = delete;
  PageBlockAhead& operator=(const PageBlockAhead&) = delete;

  // Touches what is left of it, and hands it out. Once.
  [[nodiscard]] PageBlock finish();

 private:
  PageBlock block_;
  PageTouching touching_;
  std::jthread thread_;
};

}  // namespace asyncspy
