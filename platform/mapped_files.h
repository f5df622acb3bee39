// Finds the files that are mapped into a process, each checked to be the very one that was mapped.
#pragma once

#include <string>

#include "file_descriptor.h"
#include "memory.h"
#include "process_facts.h"

namespace asyncspy {

// Two mappings of one file.
struct MappedFile {
  const Mapping* anchor = nullptr;  // any
  const Mapping* first = nullptr;   // of file offset 0, or null
};

class MappedFiles {
 public:
  MappedFiles() = default;
  MappedFiles(const MappedFiles&) = delete;
  MappedFiles& operator=(const MappedFiles&) = delete;
  virtual ~MappedFiles() = default;

  // Empty when there is no such file, or another one in its place.
  [[nodiscard]] virtual FileDescriptor open(const MappedFile& file) = 0;

  // The directory that is the target's root as seen from here, or empty.
  [[nodiscard]] virtual std::string root() const { return {}; }
};

// The files of a live process.
class LiveMappedFiles final : public MappedFiles {
 public:
  LiveMappedFiles(int pid, Memory& memory) : pid_(pid), memory_(memory) {}
  [[nodiscard]] FileDescriptor open(const MappedFile& file) override;
  [[nodiscard]] std::string root() const override { return "/proc/" + std::to_string(pid_) + "/root"; }

 private:
  int pid_;
  Memory& memory_;
};

}  // namespace asyncspy
