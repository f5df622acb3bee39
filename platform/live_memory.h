// Memory of a running process: process_vm_readv, and /proc/PID/mem where that call is missing or refused (old or
// filtered kernels, container profiles). Reads only; the process is not stopped and does not notice. Several threads may
// read at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <span>

#include "bulk_memory.h"
#include "file_descriptor.h"

namespace asyncspy {

enum class MemorySource {
  kAutomatic,  // process_vm_readv, and the file from its first refusal on
  kFile,       // /proc/PID/mem only
};

class LiveMemory final : public BulkMemory {
 public:
  explicit LiveMemory(int pid, MemorySource source = MemorySource::kAutomatic)
      : pid_(pid), use_file_(source == MemorySource::kFile) {}

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override;
  void read_ranges(std::span<RangeRead> ranges) override;
  [[nodiscard]] bool is_concurrent() const override { return true; }

 private:
  // Bytes read from the start of the range, or -errno.
  [[nodiscard]] ssize_t read_from_file(Address from, std::span<std::byte> into);
  [[nodiscard]] Result<void> failure(Address from, std::size_t size, int error) const;
  void read_ranges_from_file(std::span<RangeRead> ranges);

  int pid_;
  std::atomic<bool> use_file_;
  std::once_flag file_is_opened_;
  FileDescriptor file_;
  int open_error_ = 0;
};

}  // namespace asyncspy
