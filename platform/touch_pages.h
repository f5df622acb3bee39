// Makes the kernel give memory before it is needed: writing into it takes no page faults afterwards.
#pragma once

#include <atomic>
#include <cstddef>

namespace asyncspy {

// All of it, by several threads. Its content is lost.
void touch_pages(std::byte* memory, std::size_t bytes);

// The same for threads that come and go: each call of work() takes shares until there are none left to take.
class PageTouching {
 public:
  PageTouching(std::byte* memory, std::size_t bytes);
  void work();

 private:
  std::byte* memory_;
  std::size_t bytes_;
  std::atomic<std::size_t> next_;
};

}  // namespace asyncspy
