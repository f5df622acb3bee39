// The functions that an ELF file names, for finding the one that an address belongs to.
//
// Only symbols that say how long they are count: the nearest name before an address in a stripped file is as a rule that of
// another function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct Elf;

namespace asyncspy {

class SymbolTable {
 public:
  SymbolTable() = default;

  // Of all functions in .symtab, or in .dynsym where there is no .symtab. `elf` must outlive the table.
  explicit SymbolTable(Elf* elf);

  // The name of the function at `address`, as the file counts addresses, demangled; or empty.
  [[nodiscard]] std::string find(std::uint64_t address) const;

  [[nodiscard]] std::size_t size() const { return functions_.size(); }

 private:
  struct Function {
    std::uint64_t start = 0;
    std::uint64_t size = 0;
    const char* name = nullptr;
    bool is_local = false;
  };

  bool add_all(Elf* elf, std::uint32_t type);
  [[nodiscard]] static bool is_better(const Function& one, const Function& other);

  std::vector<Function> functions_;  // by start
};

// "std::vector<int>::push_back(int const&)" of "_ZNSt6vector..."; without the version and the marks of parts that a compiler
// set apart. Other names stay.
[[nodiscard]] std::string make_readable(std::string_view symbol);

}  // namespace asyncspy
