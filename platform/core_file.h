// An ELF core file taken apart: which memory it holds, and its notes. What the notes mean is core_notes.h's.
//
// Cores are often cut short (a limit, a full disk), so that every place that a header names may lie behind the end of
// the file. Read with pread: a file that shrinks meanwhile must yield an error and not a SIGBUS. Also takes a core that
// was compressed with zstd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "address.h"
#include "file_descriptor.h"
#include "result.h"

namespace asyncspy {

// One PT_LOAD header: a mapping of the process.
struct CoreSegment {
  Address start;
  std::uint64_t size = 0;         // in memory
  std::uint64_t promised = 0;     // how many bytes from `start` on the headers say are in the file
  std::uint64_t stored = 0;       // how many are: fewer when the file is cut short
  std::uint64_t file_offset = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
};

struct CoreNote {
  std::string owner;  // "CORE", "LINUX"
  std::uint32_t type = 0;
  std::string content;
};

class CoreFile {
 public:
  [[nodiscard]] static Result<CoreFile> open(const std::string& path);

  // By address, without overlaps.
  [[nodiscard]] const std::vector<CoreSegment>& segments() const { return segments_; }
  [[nodiscard]] const std::vector<CoreNote>& notes() const { return notes_; }

  // How many bytes the headers promise that are not there. 0 for a whole file.
  [[nodiscard]] std::uint64_t missing_bytes() const { return missing_bytes_; }

  // The segment that `address` lies in, or null.
  [[nodiscard]] const CoreSegment* find_segment(Address address) const;

  // Reads what the file itself holds of the memory at `from`; false when any of it is not there.
  [[nodiscard]] bool read_stored(Address from, std::span<std::byte> into) const;

 private:
  CoreFile() = default;
  [[nodiscard]] bool read_at(std::uint64_t offset, std::span<std::byte> into) const;
  [[nodiscard]] Result<void> read_headers(const std::string& path);
  void add_segment(CoreSegment segment);
  void read_notes(std::uint64_t offset, std::uint64_t size);
  void order_segments();

  FileDescriptor file_;
  std::uint64_t file_size_ = 0;
  std::uint64_t missing_bytes_ = 0;
  std::vector<CoreSegment> segments_;
  std::vector<CoreNote> notes_;
};

}  // namespace asyncspy
