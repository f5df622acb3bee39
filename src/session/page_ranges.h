// Which pages of a target to copy: sets of pages as ordered, disjoint ranges.
#pragma once

#include <cstdint>
#include <vector>

#include "motion.h"
#include "process_facts.h"
#include "recording_memory.h"
#include "target.h"

namespace asyncspy {

[[nodiscard]] std::uint64_t count_pages(const std::vector<PageRange>& ranges);

[[nodiscard]] std::vector<PageRange> unite(const std::vector<PageRange>& a, const std::vector<PageRange>& b);

// With the neighbours of each page in the same allocator's memory, if it moves: objects made since lie near those that were there.
[[nodiscard]] std::vector<PageRange> widen(const std::vector<PageRange>& ranges, const std::vector<Mapping>& mappings, Motion motion);

// With `pages` more behind each range, as far as the same allocator's memory goes: heaps grow upwards.
[[nodiscard]] std::vector<PageRange> extend(const std::vector<PageRange>& ranges, std::uint64_t pages, const std::vector<Mapping>& mappings);

// Those that the target has now. Others can not be had by another copy: who asked for them followed a pointer that is none.
[[nodiscard]] std::vector<PageRange> find_obtainable(Target& target, const std::vector<PageRange>& missed);

// The tops of the threads' stacks, as far as they are not in `memory` yet.
[[nodiscard]] std::vector<PageRange> find_missing_stacks(const std::vector<ThreadFacts>& threads, RecordingMemory& memory);

// All that the target has written, if it is not more than can be held here.
[[nodiscard]] Result<std::vector<PageRange>> find_full_ranges(Target& target, const std::vector<Mapping>& mappings);

}  // namespace asyncspy
