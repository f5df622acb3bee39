// One ELF file that is mapped into a process: how its code uses the stack, and what its functions are called.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "elf_image.h"
#include "process_facts.h"
#include "symbol_table.h"

struct Dwarf_CFI_s;

namespace asyncspy {

class NativeImage {
 public:
  // `mapping`: where a part of it is mapped. `root`: below which the target's files are found, or empty. Fails when the two
  // do not go together.
  [[nodiscard]] static Result<std::unique_ptr<NativeImage>> open(ElfImage elf, const Mapping& mapping, std::string root);

  NativeImage(const NativeImage&) = delete;
  NativeImage& operator=(const NativeImage&) = delete;
  ~NativeImage();

  // The address as the file counts.
  [[nodiscard]] std::uint64_t place_of(std::uint64_t address) const { return address - bias_; }

  // For unwind_step(); null when there are none.
  [[nodiscard]] Dwarf_CFI_s* rules();

  // The name of the function at `place`: out of the file, of a separate file with its debug information, or empty.
  [[nodiscard]] std::string find_function(std::uint64_t place);

 private:
  NativeImage(ElfImage elf, std::uint64_t bias, std::string root) : elf_(std::move(elf)), bias_(bias), root_(std::move(root)) {}
  void read_symbols();

  ElfImage elf_;
  std::uint64_t bias_;
  std::string root_;
  Dwarf_CFI_s* rules_ = nullptr;
  bool has_rules_ = false;  // they were asked for
  std::optional<ElfImage> debug_;       // outlives the symbols
  std::optional<SymbolTable> symbols_;  // of the file
  SymbolTable debug_symbols_;
};

}  // namespace asyncspy
