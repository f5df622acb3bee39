// A page cache through which every read of a target goes. Its content is the snapshot.
//
// Attached to a source it fetches and keeps the pages that are asked for. Detached it answers from what it has and
// remembers what was asked for in vain, so that a second copy can bring it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "bulk_memory.h"
#include "page_block.h"
#include "paged_memory.h"

namespace asyncspy {

class RecordingMemory : public PagedMemory {
 public:
  // A null source makes a detached, empty recording.
  explicit RecordingMemory(BulkMemory* source) : source_(source) {}

  [[nodiscard]] bool is_partial() const override { return source_ == nullptr || source_->is_partial(); }

  // The same recording for one more thread. What that fetches is there for all of them, what it misses counts as missed. Nothing
  // but reading is done, here or there, as long as several threads do; it ends before the recording does.
  [[nodiscard]] std::unique_ptr<Memory> open_reader();

  // Copying whole ranges, in two steps, since the target stands still meanwhile: prepare() makes room and touches it, so
  // that no page fault falls into the copy; fill() copies what was prepared and not filled yet. start_over() empties it, and
  // keeps its room for what is prepared next. Ranges are disjoint from
  // each other and from what is there. Pages that can not be read count as missing. The time for a copy can be over before
  // its end: the pages that are in `urgent`, too (ordered and disjoint), are copied first.
  void prepare(const std::vector<PageRange>& ranges, const std::vector<PageRange>& urgent = {});
  void add_room(PageBlock touched);  // for what is prepared next, and then for what is fetched singly
  [[nodiscard]] std::uint64_t room() const;  // bytes that are left of it
  void fill(BulkMemory& from);
  void start_over();

  void attach(BulkMemory& source) { source_ = &source; }

  // While otherwise detached: pages in these ranges (ordered, disjoint) never change, they are fetched when asked for.
  void attach_constant(BulkMemory& source, std::vector<PageRange> ranges);

  void detach();

  // Whether the page is there; `number` counts pages from address 0.
  [[nodiscard]] bool has_page(std::uint64_t number) { return find_copied(number) != nullptr || find_fetched(number) != nullptr; }

  // Pages that are there, in address order, neighbours joined.
  [[nodiscard]] std::vector<PageRange> recorded() const;

  // Pages that were asked for while detached and were not there, in address order; forgets them.
  [[nodiscard]] std::vector<PageRange> take_missed();

  // The pages that were fetched singly before all others, in address order: what everything else is found by.
  [[nodiscard]] std::vector<PageRange> fetched_first() const;

  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct StoredRange {
    std::uint64_t first = 0;  // page number
    std::uint64_t pages = 0;
    std::byte* bytes = nullptr;
    bool urgent = false;
    bool filled = false;
  };

  class Reader;

  [[nodiscard]] const std::byte* find_copied(std::uint64_t number) const;  // in a whole range
  [[nodiscard]] const std::byte* find_fetched(std::uint64_t number) const;
  [[nodiscard]] const std::byte* find_page(std::uint64_t number) override;
  [[nodiscard]] std::byte* new_page();
  void add_range(std::uint64_t first, std::uint64_t last, bool urgent);

  [[nodiscard]] std::vector<StoredRange> fill_ranges(BulkMemory& from, const std::vector<StoredRange*>& filling);
  void fill_singly(BulkMemory& from, const StoredRange& range);

  [[nodiscard]] bool is_constant(std::uint64_t number) const;

  BulkMemory* source_;
  BulkMemory* constant_source_ = nullptr;
  std::vector<PageRange> constant_;
  std::vector<StoredRange> ranges_;                      // by address
  std::mutex fetching_;  // by one thread at a time: what follows changes while it is read
  std::unordered_map<std::uint64_t, std::byte*> pages_;  // page number -> bytes fetched singly; null: not readable
  std::vector<PageBlock> storage_;  // of pages fetched singly
  std::vector<PageBlock> blocks_;   // of whole ranges
  std::vector<std::span<std::byte>> room_;  // what is left of these, touched
  std::byte* free_page_ = nullptr;
  std::size_t free_pages_ = 0;
  std::vector<std::uint64_t> missed_;
  std::vector<std::uint64_t> fetched_first_;
};

}  // namespace asyncspy
