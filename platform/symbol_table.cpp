#include "symbol_table.h"

#include <cxxabi.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace asyncspy {
namespace {

constexpr std::size_t kMostFunctions = 5'000'000;
constexpr std::uint64_t kMostTableBytes = std::uint64_t{512} << 20;
constexpr std::size_t kMostOverlapping = 64;  // symbols before an address that are asked whether they cover it
constexpr std::size_t kMostMangled = 1024;    // longer names stay as they are
constexpr std::size_t kMostReadable = 512;

std::size_t count_underscores(const char* name) { return std::strspn(name, "_"); }

}  // namespace

std::string make_readable(std::string_view symbol) {
  symbol = symbol.substr(0, symbol.find('@'));  // "@@GLIBC_2.17"
  for (const std::string_view part : {".cold", ".part.", ".localalias", ".lto_priv.", ".constprop.", ".isra.", ".llvm."}) {
    if (const auto at = symbol.find(part); at != std::string_view::npos && at > 0) symbol = symbol.substr(0, at);
  }
  std::string name(symbol);
  if (name.size() > kMostMangled) return name.substr(0, kMostReadable) + "...";
  if (name.starts_with("_Z")) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
    if (status == 0 && readable) name = readable.get();
  }
  if (name.size() > kMostReadable) name = name.substr(0, kMostReadable) + "...";
  return name;
}

SymbolTable::SymbolTable(Elf* elf) {
  if (!add_all(elf, SHT_SYMTAB)) add_all(elf, SHT_DYNSYM);
  std::ranges::sort(functions_, {}, &Function::start);
}

bool SymbolTable::add_all(Elf* elf, std::uint32_t type) {
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr || header.sh_type != type) continue;
    if (header.sh_entsize == 0 || header.sh_size > kMostTableBytes) continue;
    Elf_Data* data = ::elf_getdata(section, nullptr);
    if (data == nullptr) continue;
    const std::size_t count = std::min(data->d_size / header.sh_entsize, kMostFunctions);
    for (std::size_t i = 0; i < count; ++i) {
      GElf_Sym symbol;
      if (::gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      const auto kind = GELF_ST_TYPE(symbol.st_info);
      if ((kind != STT_FUNC && kind != STT_GNU_IFUNC && kind != STT_NOTYPE) || symbol.st_shndx == SHN_UNDEF || symbol.st_size == 0) continue;
      const char* name = ::elf_strptr(elf, header.sh_link, symbol.st_name);
      if (name == nullptr || *name == '\0') continue;
      functions_.push_back({symbol.st_value, symbol.st_size, name, GELF_ST_BIND(symbol.st_info) == STB_LOCAL});
    }
  }
  return !functions_.empty();
}

// Of several names of one place that by which it is called: poll rather than __poll or __GI___poll.
bool SymbolTable::is_better(const Function& one, const Function& other) {
  if (one.start != other.start) return one.start > other.start;
  if (one.is_local != other.is_local) return other.is_local;
  const std::size_t underscores = count_underscores(one.name);
  const std::size_t others = count_underscores(other.name);
  if (underscores != others) return underscores < others;
  const std::size_t length = std::strlen(one.name);
  const std::size_t other_length = std::strlen(other.name);
  return length != other_length ? length < other_length : std::strcmp(one.name, other.name) < 0;
}

std::string SymbolTable::find(std::uint64_t address) const {
  auto at = std::ranges::upper_bound(functions_, address, {}, &Function::start);
  const Function* best = nullptr;
  for (std::size_t i = 0; i < kMostOverlapping && at != functions_.begin(); ++i) {
    --at;
    if (address - at->start >= at->size) continue;
    if (best == nullptr || is_better(*at, *best)) best = &*at;
  }
  return best == nullptr ? std::string() : make_readable(best->name);
}

}  // namespace asyncspy
