// An ELF file, as far as symbols need to be found in it: segments, a few symbols, a section's address, the build id.
//
// Works on an open descriptor, so that the caller decides by which way the file is reached (/proc/PID/map_files, the
// target's root, the plain path). Addresses are those written in the file; the caller adds the bias.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "file_descriptor.h"
#include "result.h"

struct Elf;

namespace asyncspy {

// One PT_LOAD header.
struct ElfSegment {
  std::uint64_t file_offset = 0;
  std::uint64_t virtual_address = 0;
  std::uint64_t file_size = 0;
  std::uint64_t memory_size = 0;
  bool executable = false;
};

class ElfImage {
 public:
  // Takes over the file. `subject` names it in errors. Only 64-bit little-endian files are accepted.
  [[nodiscard]] static Result<ElfImage> open(FileDescriptor file, const std::string& subject);

  // The same of a file that is nowhere but in memory, such as the vdso.
  [[nodiscard]] static Result<ElfImage> open_bytes(std::vector<char> bytes, const std::string& subject);

  // For what libelf and libdw can tell beyond this. Lives as long as this or what it was moved to.
  [[nodiscard]] Elf* handle() const { return elf_.get(); }

  [[nodiscard]] const std::vector<ElfSegment>& segments() const { return segments_; }
  [[nodiscard]] const std::string& build_id() const { return build_id_; }

  // The st_value of each name, in the order asked; nothing where it is not defined here. Looks in .dynsym, and in
  // the far larger .symtab only when that defines none of them.
  [[nodiscard]] std::vector<std::optional<std::uint64_t>> find_symbols(std::span<const std::string_view> names);

  // The address of a section that is loaded, by its name.
  [[nodiscard]] std::optional<std::uint64_t> section_address(std::string_view name);

 private:
  struct EndElf {
    void operator()(Elf* elf) const;
  };

  ElfImage() = default;
  [[nodiscard]] static Result<ElfImage> check(ElfImage image, const std::string& subject);
  void read_segments_and_build_id();

  FileDescriptor file_;
  std::vector<char> bytes_;  // instead of a file
  std::unique_ptr<Elf, EndElf> elf_;
  std::vector<ElfSegment> segments_;
  std::string build_id_;
};

// What must be added to the file's addresses, given that `file_offset` of it is mapped at `start`. The rights of the
// mapping choose between segments that share a page of the file.
[[nodiscard]] std::optional<std::uint64_t> find_bias(std::span<const ElfSegment> segments, std::uint64_t start,
                                                     std::uint64_t file_offset, bool executable);

}  // namespace asyncspy
