#include "core_mapped_files.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "elf_image.h"
#include "memory.h"
#include "system_files.h"

// The kernel leaves file-backed pages that were never written out of a core, but keeps the first page of each ELF file,
// for this very purpose: the build id is in it.

namespace asyncspy {
namespace {

constexpr std::size_t kMostKnown = 10'000;
constexpr std::size_t kMostWarnings = 20;
constexpr std::uint64_t kMostPrograms = 64;
constexpr std::uint64_t kMostNotes = 2048;  // bytes

using Page = std::array<std::byte, kPageSize>;

FileDescriptor duplicate(const FileDescriptor& file) {
  return file ? FileDescriptor(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0)) : FileDescriptor();
}

template <class T>
std::optional<T> read_struct(const Page& page, std::uint64_t at) {
  if (at > page.size() - sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, page.data() + at, sizeof(T));
  return value;
}

std::string find_note(const Page& page, std::uint64_t at, std::uint64_t size) {
  const std::uint64_t end = at + std::min(size, kMostNotes);
  while (at + sizeof(Elf64_Nhdr) <= std::min<std::uint64_t>(end, page.size())) {
    const auto note = read_struct<Elf64_Nhdr>(page, at);
    if (!note || note->n_namesz > kMostNotes || note->n_descsz > kMostNotes) return {};
    const std::uint64_t name = at + sizeof(Elf64_Nhdr);
    const std::uint64_t content = name + (note->n_namesz + 3U) / 4 * 4;
    const std::uint64_t next = content + (note->n_descsz + 3U) / 4 * 4;
    if (next > page.size()) return {};
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && std::memcmp(page.data() + name, "GNU", 4) == 0) {
      std::string id;
      for (std::uint64_t i = content; i < content + note->n_descsz; ++i) id += fmt::format("{:02x}", page[i]);
      return id;
    }
    at = next;
  }
  return {};
}

// The build id in the first page of an ELF file, or empty.
std::string find_build_id(const Page& page) {
  const auto header = read_struct<Elf64_Ehdr>(page, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return {};
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(header->e_phnum, kMostPrograms); ++i) {
    if (header->e_phoff > page.size()) return {};
    const auto program = read_struct<Elf64_Phdr>(page, header->e_phoff + i * sizeof(Elf64_Phdr));
    if (!program) return {};
    if (program->p_type != PT_NOTE || program->p_offset > page.size()) continue;
    if (std::string id = find_note(page, program->p_offset, program->p_filesz); !id.empty()) return id;
  }
  return {};
}

// Why `candidate` is not the file whose first page is `stored`, or nothing.
std::string find_difference(const FileDescriptor& candidate, const std::optional<Page>& stored, const std::string& path) {
  Page first{};
  const bool is_readable = ::pread(candidate.get(), first.data(), first.size(), 0) > 0;
  auto image = ElfImage::open(duplicate(candidate), path);
  if (!is_readable || !image) return "is no ELF file here";
  if (!stored) return "can not be told from another build: the core does not hold its first page";
  const std::string wanted = find_build_id(*stored);
  if (!wanted.empty()) {
    if (image->build_id() == wanted) return {};
    return fmt::format("is another build here ({}) than in the core ({})",
                       image->build_id().empty() ? "without a build id" : "build id " + image->build_id(), wanted);
  }
  // Linked without a build id. The headers say how large everything is, and where.
  return first == *stored ? "" : "is another file here than in the core";
}

}  // namespace

FileDescriptor CoreMappedFiles::open(const MappedFile& file) {
  const std::string& path = file.anchor->path;
  if (const auto found = known_.find(path); found != known_.end()) return duplicate(found->second);
  if (known_.size() >= kMostKnown) return {};
  return duplicate(known_.emplace(path, find(file)).first->second);
}

FileDescriptor CoreMappedFiles::find(const MappedFile& file) {
  const std::string& path = file.anchor->path;
  if (!path.starts_with('/')) return {};
  std::optional<Page> stored = Page{};
  if (file.first == nullptr || !core_.read_stored(file.first->start, *stored)) stored.reset();
  std::string problem = "is not here";
  for (const std::string& place : {root_.empty() ? std::string() : root_ + path, path}) {
    FileDescriptor candidate = place.empty() ? FileDescriptor() : open_regular_file(place);
    if (!candidate) continue;
    problem = find_difference(candidate, stored, place);
    if (problem.empty()) return candidate;
  }
  if (warnings_.size() < kMostWarnings) {
    warnings_.push_back(fmt::format("{}: {}; what the core leaves out of it is missing (--root DIR says where to look)",
                                    path, problem));
  }
  return {};
}

}  // namespace asyncspy
