#include "paged_memory.h"

#include <algorithm>

namespace asyncspy {

Result<void> PagedMemory::read(Address from, std::span<std::byte> into) {
  std::uint64_t at = from.value();
  if (at + into.size() < at) return fail(ErrorKind::kUnreadable, "memory beyond the address space", {}, from);
  while (!into.empty()) {
    std::uint64_t number = at / kPageSize;
    PagePlace& known = places_[number % kPlaces];
    if (known.number != number) {
      const std::byte* bytes = find_page(number);
      if (bytes == nullptr) return fail(ErrorKind::kUnreadable, "memory is not readable", {}, Address{at});
      known = {number, bytes};
    }
    std::uint64_t offset = at % kPageSize;
    std::size_t here = std::min<std::size_t>(into.size(), kPageSize - offset);
    std::memcpy(into.data(), known.bytes + offset, here);
    into = into.subspan(here);
    at += here;
  }
  return {};
}

}  // namespace asyncspy
