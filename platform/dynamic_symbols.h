// Symbols of a loaded ELF image, read from the process's memory through its dynamic section. For files that can not
// be opened any more: deleted, in a mount namespace out of reach, or replaced by an update.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "elf_image.h"
#include "memory.h"

namespace asyncspy {

class DynamicSymbols {
 public:
  // `header` is where file offset 0 of the image is mapped.
  [[nodiscard]] static Result<DynamicSymbols> read(Memory& memory, Address header);

  [[nodiscard]] std::uint64_t bias() const { return bias_; }

  // The st_value of each name, in the order asked; nothing where it is not defined or could not be read.
  [[nodiscard]] std::vector<std::optional<std::uint64_t>> find_symbols(Memory& memory,
                                                                       std::span<const std::string_view> names) const;

 private:
  DynamicSymbols() = default;
  [[nodiscard]] Result<void> read_table_addresses(Memory& memory, Address dynamic, std::uint64_t size);
  [[nodiscard]] std::optional<std::uint64_t> find_by_gnu_hash(Memory& memory, std::string_view name) const;
  [[nodiscard]] std::optional<std::uint64_t> find_by_old_hash(Memory& memory, std::string_view name) const;
  [[nodiscard]] std::optional<std::uint64_t> match(Memory& memory, std::uint64_t index, std::string_view name) const;

  std::uint64_t bias_ = 0;
  Address symbols_;
  Address strings_;
  Address gnu_hash_;
  Address old_hash_;
};

}  // namespace asyncspy
