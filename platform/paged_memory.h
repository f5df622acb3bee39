// Memory that is read page by page, and remembers where the pages are that were read recently.
#pragma once

#include <algorithm>
#include <vector>

#include "memory.h"

namespace asyncspy {

// For one thread at a time.
class PagedMemory : public Memory {
 public:
  PagedMemory() { find_pages_in(places_.data(), kPlaces); }

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override;

 protected:
  // The page with this number, counted from address 0; null: unreadable or missing. It stays where it is until forget_places().
  [[nodiscard]] virtual const std::byte* find_page(std::uint64_t number) = 0;

  void forget_places() { std::ranges::fill(places_, PagePlace{}); }

 private:
  static constexpr std::size_t kPlaces = 4096;
  std::vector<PagePlace> places_ = std::vector<PagePlace>(kPlaces);  // objects are read in pieces and near each other
};

}  // namespace asyncspy
