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

class RecordingMemory : public Memory {
 public:
  // A null source makes a detached, empty recording.
  explicit RecordingMemory(BulkMemory* source) : source_(source) {}

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override;

  // Copying whole ranges, in two steps, since the target stands still meanwhile: prepare() makes room and touches it, so
  // that no page fault falls into the copy; fill() copies what was prepared and not filled yet. Ranges are disjoint from
  // each other and from what is there. Pages that can not be read count as missing.
  void prepare(const std::vector<PageRange>& ranges);
  void fill(BulkMemory& from);

  void attach(BulkMemory& source) { source_ = &source; }
  void detach() { source_ = nullptr; }

  // Whether the page is there; `number` counts pages from address 0.
  [[nodiscard]] bool has_page(std::uint64_t number) { return find_stored(number) != nullptr; }

  // Pages that are there, in address order, neighbours joined.
  [[nodiscard]] std::vector<PageRange> recorded() const;

  // Pages that were asked for while detached and were not there, in address order; forgets them.
  [[nodiscard]] std::vector<PageRange> take_missed();

  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct StoredRange {
    std::uint64_t first = 0;  // page number
    std::uint64_t pages = 0;
    std::byte* bytes = nullptr;
    bool filled = false;
    bool readable = false;
  };

  [[nodiscard]] const std::byte* find_stored(std::uint64_t number) const;
  [[nodiscard]] const std::byte* find_page(std::uint64_t number);  // null: unreadable or missing
  [[nodiscard]] std::byte* new_page();

  static constexpr std::size_t kPagesPerChunk = 64;

  BulkMemory* source_;
  std::vector<StoredRange> ranges_;                      // by address
  std::unordered_map<std::uint64_t, std::byte*> pages_;  // page number -> bytes fetched singly; null: not readable
  std::vector<std::unique_ptr<std::byte[]>> storage_;
  std::byte* free_page_ = nullptr;
  std::size_t free_pages_ = 0;
  std::vector<std::uint64_t> missed_;
  std::uint64_t last_number_ = ~std::uint64_t{0};
  const std::byte* last_bytes_ = nullptr;
};

}  // namespace asyncspy
