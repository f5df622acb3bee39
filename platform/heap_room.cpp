#include "heap_room.h"

#include <malloc.h>

#include <cstdlib>

#include "touch_pages.h"

namespace asyncspy {
namespace {

constexpr std::size_t kLeast = std::size_t{256} << 10;

}  // namespace

void make_heap_room(std::size_t bytes) {
  if (bytes < kLeast) return;
#ifdef __GLIBC__
  // The room is to become the top of the heap, and to stay there when it is free.
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, -1);
#endif
  auto* room = static_cast<std::byte*>(std::malloc(bytes));
  if (room == nullptr) return;
  touch_pages(room, bytes);
  std::free(room);
}

}  // namespace asyncspy
