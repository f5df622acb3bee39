#include "elf_image.h"

#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <cstring>

#include "memory.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostSymbols = 20'000'000;
constexpr std::size_t kMostBuildId = 64;

std::uint64_t page_floor(std::uint64_t value) { return value & ~(kPageSize - 1); }

// The build id in one block of notes, as lower-case hex.
std::string find_build_id(Elf_Data* notes) {
  GElf_Nhdr note;
  std::size_t name = 0;
  std::size_t content = 0;
  for (std::size_t at = 0; (at = ::gelf_getnote(notes, at, &note, &name, &content)) > 0;) {
    if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 || note.n_descsz > kMostBuildId) continue;
    const auto* bytes = static_cast<const unsigned char*>(notes->d_buf);
    if (std::memcmp(bytes + name, "GNU", 4) != 0) continue;
    std::string id;
    for (std::size_t i = 0; i < note.n_descsz; ++i) id += fmt::format("{:02x}", bytes[content + i]);
    return id;
  }
  return {};
}

// Fills the gaps in `found` from one symbol table.
void search_table(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, std::span<const std::string_view> names,
                  std::vector<std::optional<std::uint64_t>>& found) {
  Elf_Data* data = ::elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) return;
  const std::size_t count = std::min(data->d_size / header.sh_entsize, kMostSymbols);
  auto missing = static_cast<std::size_t>(std::count(found.begin(), found.end(), std::nullopt));
  for (std::size_t i = 0; i < count && missing > 0; ++i) {
    GElf_Sym symbol;
    if (::gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) return;
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_value == 0) continue;
    const char* name = ::elf_strptr(elf, header.sh_link, symbol.st_name);
    if (name == nullptr) continue;
    const auto wanted = std::ranges::find(names, std::string_view(name));
    if (wanted == names.end()) continue;
    auto& value = found[static_cast<std::size_t>(wanted - names.begin())];
    if (value) continue;
    value = symbol.st_value;
    --missing;
  }
}

}  // namespace

void ElfImage::EndElf::operator()(Elf* elf) const { ::elf_end(elf); }

Result<ElfImage> ElfImage::open(FileDescriptor file, const std::string& subject) {
  ::elf_version(EV_CURRENT);
  ElfImage image;
  image.file_ = std::move(file);
  // ELF_C_READ and no mmap: a file that is cut short meanwhile must yield an error and not a SIGBUS.
  image.elf_.reset(::elf_begin(image.file_.get(), ELF_C_READ, nullptr));
  return check(std::move(image), subject);
}

Result<ElfImage> ElfImage::open_bytes(std::vector<char> bytes, const std::string& subject) {
  ::elf_version(EV_CURRENT);
  ElfImage image;
  image.bytes_ = std::move(bytes);
  image.elf_.reset(::elf_memory(image.bytes_.data(), image.bytes_.size()));
  return check(std::move(image), subject);
}

Result<ElfImage> ElfImage::check(ElfImage image, const std::string& subject) {
  GElf_Ehdr header;
  if (!image.elf_ || ::elf_kind(image.elf_.get()) != ELF_K_ELF ||
      ::gelf_getehdr(image.elf_.get(), &header) == nullptr) {
    return fail(ErrorKind::kUnreadable, fmt::format("{}: not an ELF file", subject));
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return fail(ErrorKind::kUnsupported, fmt::format("{}: not a 64-bit little-endian ELF file", subject));
  }
  image.read_segments_and_build_id();
  return image;
}

void ElfImage::read_segments_and_build_id() {
  std::size_t count = 0;
  if (::elf_getphdrnum(elf_.get(), &count) != 0) return;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (::gelf_getphdr(elf_.get(), static_cast<int>(i), &header) == nullptr) return;
    if (header.p_type == PT_LOAD) {
      segments_.push_back(
          {header.p_offset, header.p_vaddr, header.p_filesz, header.p_memsz, (header.p_flags & PF_X) != 0});
    } else if (header.p_type == PT_NOTE && build_id_.empty()) {
      const auto kind = header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
      Elf_Data* notes =
          ::elf_getdata_rawchunk(elf_.get(), static_cast<std::int64_t>(header.p_offset), header.p_filesz, kind);
      if (notes != nullptr) build_id_ = find_build_id(notes);
    }
  }
}

std::vector<std::optional<std::uint64_t>> ElfImage::find_symbols(std::span<const std::string_view> names) {
  std::vector<std::optional<std::uint64_t>> found(names.size());
  for (const std::uint32_t type : {SHT_DYNSYM, SHT_SYMTAB}) {
    for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf_.get(), section)) != nullptr;) {
      GElf_Shdr header;
      if (::gelf_getshdr(section, &header) == nullptr || header.sh_type != type) continue;
      search_table(elf_.get(), section, header, names, found);
    }
    if (std::any_of(found.begin(), found.end(), [](const auto& value) { return value.has_value(); })) break;
  }
  return found;
}

std::optional<std::uint64_t> ElfImage::section_address(std::string_view name) {
  std::size_t names = 0;
  if (::elf_getshdrstrndx(elf_.get(), &names) != 0) return std::nullopt;
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf_.get(), section)) != nullptr;) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr || (header.sh_flags & SHF_ALLOC) == 0) continue;
    const char* own_name = ::elf_strptr(elf_.get(), names, header.sh_name);
    if (own_name != nullptr && name == own_name) return header.sh_addr;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_bias(std::span<const ElfSegment> segments, std::uint64_t start,
                                       std::uint64_t file_offset, bool executable) {
  std::optional<std::uint64_t> second_choice;
  for (const ElfSegment& segment : segments) {
    const std::uint64_t first = page_floor(segment.file_offset);
    // A mapping may begin inside of a segment: mprotect splits mappings.
    if (file_offset < first || file_offset >= segment.file_offset + segment.file_size) continue;
    const std::uint64_t bias = start - (page_floor(segment.virtual_address) + (file_offset - first));
    if (segment.executable == executable) return bias;
    if (!second_choice) second_choice = bias;
  }
  return second_choice;
}

}  // namespace asyncspy
