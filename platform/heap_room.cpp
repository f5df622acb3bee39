#include "heap_room.h"

#include <malloc.h>

#include <cstdlib>
#include <system_error>
#include <tuple>

#include "touch_pages.h"

namespace asyncspy {
namespace {

constexpr std::size_t kLeast = std::size_t{1} << 20;

}  // namespace

HeapRoom::HeapRoom(std::size_t bytes) {
  if (bytes < kLeast) return;
#ifdef __GLIBC__
  // The room is to become the top of the heap, and to stay there when it is free.
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, -1);
#endif
  auto* room = static_cast<std::byte*>(std::malloc(bytes));
  if (room == nullptr) return;
  const bool is_much = bytes >= kWorthHugePages;
  if (is_much) touch_pages(room, bytes);
  const auto address = reinterpret_cast<std::uintptr_t>(room);
  std::free(room);
  if (is_much) return;
  try {
    making_ = std::jthread([address, bytes] { std::ignore = bring_pages(address, bytes); });  // in use again or not: they keep their content
  } catch (const std::system_error&) {
    // No thread is to be had: it is made when it is needed.
  }
}

}  // namespace asyncspy
