// The memory of a process of which a core is left: the core's own bytes, and where it has none those of the mapped file.
//
// A page that was never written equals the file's, so the kernel and gdb leave it out. A file is looked for only when
// something asks for such a page.
#pragma once

#include <unordered_map>
#include <vector>

#include "bulk_memory.h"
#include "core_file.h"
#include "mapped_files.h"
#include "process_facts.h"

namespace asyncspy {

class SplicedMemory final : public BulkMemory {
 public:
  // All three must outlive this. Mappings by address.
  SplicedMemory(const CoreFile& core, const std::vector<Mapping>& mappings, MappedFiles& files)
      : core_(core), mappings_(mappings), files_(files) {}

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override;

 private:
  // How many bytes of `into` were filled, up to the next seam. 0: there is nothing at `from`.
  [[nodiscard]] std::size_t read_part(Address from, std::span<std::byte> into);
  [[nodiscard]] const Mapping* find_mapping(Address address) const;
  [[nodiscard]] const Mapping* find_first(const Mapping& mapping) const;
  [[nodiscard]] int find_file(const Mapping& mapping);

  const CoreFile& core_;
  const std::vector<Mapping>& mappings_;
  MappedFiles& files_;
  std::unordered_map<const Mapping*, FileDescriptor> open_files_;  // empty: none
};

}  // namespace asyncspy
