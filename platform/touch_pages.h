// Makes the kernel give memory before it is needed: writing into it takes no page faults afterwards.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace asyncspy {

// From so many bytes on huge pages are tried. Less takes about as long in small pages as one huge page that the kernel does not
// have ready.
inline constexpr std::size_t kWorthHugePages = std::size_t{16} << 20;

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

// The whole pages from that address on, by this thread. Their content stays, others may use them meanwhile, and what is not mapped
// is left alone. False: not all of it could be done; never before Linux 5.14.
bool bring_pages(std::uintptr_t address, std::size_t bytes);

}  // namespace asyncspy
