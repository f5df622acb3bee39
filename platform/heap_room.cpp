#include "heap_room.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>

namespace asyncspy {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

void make_heap_room(std::size_t bytes) {
  if (bytes < kHugePage) return;
#ifdef __GLIBC__
  // The room is to become the top of the heap, and to stay there when it is free.
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, -1);
#endif
  void* room = std::malloc(bytes + kHugePage);
  if (room == nullptr) return;
  const std::uintptr_t start = (reinterpret_cast<std::uintptr_t>(room) + kHugePage - 1) / kHugePage * kHugePage;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): rounded up to a huge page
  ::madvise(reinterpret_cast<void*>(start), bytes, MADV_HUGEPAGE);
  std::free(room);
}

}  // namespace asyncspy
