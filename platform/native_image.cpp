#include "native_image.h"

#include <elfutils/libdw.h>
#include <fmt/format.h>
#include <gelf.h>

#include "debug_info.h"
#include "system_files.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kMostRulesBytes = std::uint64_t{512} << 20;  // of one section

// A section that claims to be larger than any real one is not read into memory.
bool has_sane_sections(Elf* elf) {
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr) return false;
    const bool may_be_read = header.sh_type == SHT_PROGBITS && (header.sh_flags & (SHF_ALLOC | SHF_EXECINSTR)) == SHF_ALLOC;
    if (may_be_read && header.sh_size > kMostRulesBytes) return false;
  }
  return true;
}

std::optional<ElfImage> open_debug_file(const std::string& build_id, const std::string& root) {
  for (const std::string& path : list_debug_files_by_id(build_id, root)) {
    FileDescriptor file = open_regular_file(path);
    if (!file) continue;
    auto elf = ElfImage::open(std::move(file), path);
    if (elf && elf->build_id() == build_id) return std::move(*elf);
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<NativeImage>> NativeImage::open(ElfImage elf, const Mapping& mapping, std::string root) {
  const auto bias = find_bias(elf.segments(), mapping.start.value(), mapping.file_offset, mapping.executable);
  if (!bias) return fail(ErrorKind::kCorrupt, fmt::format("{}: no part of the file belongs where it is mapped", mapping.path));
  return std::unique_ptr<NativeImage>(new NativeImage(std::move(elf), *bias, std::move(root)));
}

NativeImage::~NativeImage() {
  if (rules_ != nullptr) ::dwarf_cfi_end(rules_);
}

Dwarf_CFI_s* NativeImage::rules() {
  if (!has_rules_) {
    has_rules_ = true;
    if (has_sane_sections(elf_.handle())) rules_ = ::dwarf_getcfi_elf(elf_.handle());
  }
  return rules_;
}

// A file that was stripped of .symtab has what it exports; a separate file names its other functions, too.
void NativeImage::read_symbols() {
  symbols_.emplace(elf_.handle());
  if (elf_.build_id().size() <= 2) return;
  debug_ = open_debug_file(elf_.build_id(), root_);
  if (debug_) debug_symbols_ = SymbolTable(debug_->handle());
}

std::string NativeImage::find_function(std::uint64_t place) {
  if (!symbols_) read_symbols();
  std::string name = debug_symbols_.find(place);
  return name.empty() ? symbols_->find(place) : name;
}

}  // namespace asyncspy
