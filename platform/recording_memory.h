// A page cache through which every read of a target goes. Its content is the snapshot.
//
// Attached to a source it fetches and keeps the pages that are asked for. Detached it answers from what it has and
// remembers what was asked for in vain, so that a second copy can bring it.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bulk_memory.h"

namespace asyncspy {

// Whole pages: [start, start + pages * kPageSize).
struct PageRange {
  Address start;
  std::uint64_t pages = 0;
};

class RecordingMemory : public Memory {
 public:
  // A null source makes a detached, empty recording.
  explicit RecordingMemory(BulkMemory* source) : source_(source) {}

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override;

  // Copying whole ranges, in three steps: what costs time without the target is done before and after the target
  // stands still. prepare() makes room (and touches it, so that no page fault falls into the copy), fill() copies,
  // settle() indexes. Pages that can not be read count as known to be unreadable.
  void prepare(const std::vector<PageRange>& ranges);
  void fill(BulkMemory& from);
  void settle(BulkMemory& from);

  void detach() { source_ = nullptr; }

  // Pages that were read since the start, in address order, neighbours joined; gaps of up to `join` pages are bridged.
  [[nodiscard]] std::vector<PageRange> recorded(std::uint64_t join = 0) const;

  // Pages that were asked for while detached and were not there, in address order; forgets them.
  [[nodiscard]] std::vector<PageRange> take_missed();

  [[nodiscard]] std::uint64_t bytes() const { return (page_count_) * kPageSize; }

 private:
  static constexpr std::uint32_t kUnreadable = 0xFFFFFFFF;
  static constexpr std::uint32_t kPagesPerChunk = 256;
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
  };

  [[nodiscard]] std::byte* page_bytes(std::uint32_t index);
  [[nodiscard]] const std::byte* find_page(std::uint64_t number);  // null: unreadable or missing
  std::uint32_t add_page();

  BulkMemory* source_;
  std::unordered_map<std::uint64_t, std::uint32_t> index_;  // page number -> page, or kUnreadable
  std::vector<Chunk> chunks_;
  std::uint32_t page_count_ = 0;
  std::vector<RangeRead> pending_;         // between prepare() and settle()
  std::vector<std::uint32_t> pending_first_;  // page index where each starts
  std::vector<std::uint64_t> missed_;
  std::uint64_t last_number_ = ~std::uint64_t{0};
  const std::byte* last_bytes_ = nullptr;
};

}  // namespace asyncspy
