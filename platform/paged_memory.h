// Memory that is read page by page, and remembers where the pages are that were read recently.
#pragma once

#include <cstdint>
#include <vector>

#include "memory.h"

namespace asyncspy {

// For one thread at a time.
class PagedMemory : public Memory {
 public:
  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override;
  [[nodiscard]] const std::byte* look(Address from, std::size_t size) override {
    const std::uint64_t number = from.value() / kPageSize;
    const std::uint64_t offset = from.value() % kPageSize;
    const Translation& known = translations_[number % kTranslations];
    return known.number == number && offset + size <= kPageSize ? known.bytes + offset : nullptr;
  }

 protected:
  // The page with this number, counted from address 0; null: unreadable or missing. It stays where it is until forget_places().
  [[nodiscard]] virtual const std::byte* find_page(std::uint64_t number) = 0;

  void forget_places() { translations_.assign(kTranslations, {}); }

 private:
  // Where recently read pages are, by the low bits of their number: objects are read in pieces and near each other.
  struct Translation {
    std::uint64_t number = ~std::uint64_t{0};
    const std::byte* bytes = nullptr;
  };
  static constexpr std::size_t kTranslations = 4096;
  std::vector<Translation> translations_ = std::vector<Translation>(kTranslations);
};

}  // namespace asyncspy
