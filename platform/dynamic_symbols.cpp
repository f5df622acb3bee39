#include "dynamic_symbols.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace asyncspy {
namespace {

constexpr std::size_t kMostHeaders = 128;
constexpr std::uint64_t kMostDynamicEntries = 1024;
constexpr int kMostChainLinks = 100'000;

std::uint32_t gnu_hash(std::string_view name) {
  std::uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);
  return hash;
}

// The hash of the System V ABI, chapter 5.
std::uint32_t old_hash(std::string_view name) {
  std::uint32_t hash = 0;
  for (const char c : name) {
    hash = (hash << 4) + static_cast<unsigned char>(c);
    const std::uint32_t high = hash & 0xF0000000;
    hash = (hash ^ (high >> 24)) & ~high;
  }
  return hash;
}

}  // namespace

Result<DynamicSymbols> DynamicSymbols::read(Memory& memory, Address header) {
  auto file = memory.read_value<Elf64_Ehdr>(header);
  if (!file) return std::unexpected(std::move(file.error()));
  if (std::memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 || file->e_ident[EI_CLASS] != ELFCLASS64 ||
      file->e_phentsize != sizeof(Elf64_Phdr) || file->e_phnum > kMostHeaders) {
    return fail(ErrorKind::kCorrupt, fmt::format("memory at {:#x}: no ELF header", header.value()), {}, header);
  }
  DynamicSymbols image;
  const Elf64_Phdr* dynamic = nullptr;
  const Elf64_Phdr* first_load = nullptr;
  std::array<Elf64_Phdr, kMostHeaders> headers{};
  const auto bytes = std::as_writable_bytes(std::span(headers)).first(file->e_phnum * sizeof(Elf64_Phdr));
  if (auto done = memory.read(header + file->e_phoff, bytes); !done) return std::unexpected(std::move(done.error()));
  for (const Elf64_Phdr& one : std::span(headers).first(file->e_phnum)) {
    if (one.p_type == PT_DYNAMIC && dynamic == nullptr) dynamic = &one;
    if (one.p_type == PT_LOAD && one.p_offset == 0 && first_load == nullptr) first_load = &one;
  }
  if (dynamic == nullptr || first_load == nullptr) {
    return fail(ErrorKind::kCorrupt, fmt::format("image at {:#x}: has no dynamic section", header.value()), {}, header);
  }
  image.bias_ = header.value() - (first_load->p_vaddr & ~(kPageSize - 1));
  auto done = image.read_table_addresses(memory, Address{image.bias_ + dynamic->p_vaddr}, dynamic->p_memsz);
  if (!done) return std::unexpected(std::move(done.error()));
  return image;
}

Result<void> DynamicSymbols::read_table_addresses(Memory& memory, Address dynamic, std::uint64_t size) {
  const std::uint64_t count = std::min<std::uint64_t>(size / sizeof(Elf64_Dyn), kMostDynamicEntries);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto entry = memory.read_value<Elf64_Dyn>(dynamic + i * sizeof(Elf64_Dyn));
    if (!entry) return std::unexpected(std::move(entry.error()));
    if (entry->d_tag == DT_NULL) break;
    // glibc's loader writes final addresses into the section, musl leaves the file's.
    const std::uint64_t value = entry->d_un.d_ptr;
    const Address address{value < bias_ ? value + bias_ : value};
    if (entry->d_tag == DT_SYMTAB) symbols_ = address;
    if (entry->d_tag == DT_STRTAB) strings_ = address;
    if (entry->d_tag == DT_GNU_HASH) gnu_hash_ = address;
    if (entry->d_tag == DT_HASH) old_hash_ = address;
  }
  if (symbols_.is_null() || strings_.is_null() || (gnu_hash_.is_null() && old_hash_.is_null())) {
    return fail(ErrorKind::kCorrupt, fmt::format("dynamic section at {:#x}: has no symbol table", dynamic.value()), {},
                dynamic);
  }
  return {};
}

std::vector<std::optional<std::uint64_t>> DynamicSymbols::find_symbols(Memory& memory,
                                                                       std::span<const std::string_view> names) const {
  std::vector<std::optional<std::uint64_t>> found;
  for (const std::string_view name : names) {
    found.push_back(gnu_hash_.is_null() ? find_by_old_hash(memory, name) : find_by_gnu_hash(memory, name));
  }
  return found;
}

std::optional<std::uint64_t> DynamicSymbols::match(Memory& memory, std::uint64_t index, std::string_view name) const {
  const auto symbol = memory.read_value<Elf64_Sym>(symbols_ + index * sizeof(Elf64_Sym));
  if (!symbol || symbol->st_shndx == SHN_UNDEF || symbol->st_value == 0) return std::nullopt;
  std::string own_name(name.size() + 1, '?');
  if (!memory.read(strings_ + symbol->st_name, std::as_writable_bytes(std::span(own_name)))) return std::nullopt;
  if (std::string_view(own_name).substr(0, name.size()) != name || own_name.back() != '\0') return std::nullopt;
  return symbol->st_value;
}

// Layout: bucket count, first hashed symbol, bloom words, bloom shift; bloom words; buckets; one hash per symbol, whose
// lowest bit ends a chain.
std::optional<std::uint64_t> DynamicSymbols::find_by_gnu_hash(Memory& memory, std::string_view name) const {
  const auto head = memory.read_value<std::array<std::uint32_t, 4>>(gnu_hash_);
  if (!head) return std::nullopt;
  const auto [bucket_count, first_symbol, bloom_count, unused_shift] = *head;
  if (bucket_count == 0) return std::nullopt;
  const std::uint32_t hash = gnu_hash(name);
  const Address buckets = gnu_hash_ + 16 + std::uint64_t{bloom_count} * 8;
  const Address chains = buckets + std::uint64_t{bucket_count} * 4;
  const auto start = memory.read_value<std::uint32_t>(buckets + std::uint64_t{hash % bucket_count} * 4);
  if (!start || *start < first_symbol) return std::nullopt;
  std::uint64_t index = *start;
  for (int i = 0; i < kMostChainLinks; ++i, ++index) {
    const auto link = memory.read_value<std::uint32_t>(chains + (index - first_symbol) * 4);
    if (!link) return std::nullopt;
    if ((*link | 1) == (hash | 1)) {
      if (const auto value = match(memory, index, name)) return value;
    }
    if ((*link & 1) != 0) return std::nullopt;
  }
  return std::nullopt;
}

// Layout: bucket count, chain count; buckets; the next index of each symbol.
std::optional<std::uint64_t> DynamicSymbols::find_by_old_hash(Memory& memory, std::string_view name) const {
  const auto head = memory.read_value<std::array<std::uint32_t, 2>>(old_hash_);
  if (!head) return std::nullopt;
  const auto [bucket_count, chain_count] = *head;
  if (bucket_count == 0) return std::nullopt;
  const Address buckets = old_hash_ + 8;
  const Address chains = buckets + std::uint64_t{bucket_count} * 4;
  auto index = memory.read_value<std::uint32_t>(buckets + std::uint64_t{old_hash(name) % bucket_count} * 4);
  for (int i = 0; i < kMostChainLinks && index && *index != 0 && *index < chain_count; ++i) {
    if (const auto value = match(memory, *index, name)) return value;
    index = memory.read_value<std::uint32_t>(chains + std::uint64_t{*index} * 4);
  }
  return std::nullopt;
}

}  // namespace asyncspy
