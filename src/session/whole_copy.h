// Which processes are copied whole instead of being scouted: those of which nearly everything matters, or that are small.
#pragma once

#include <optional>
#include <vector>

#include "page_ranges.h"
#include "snapshot.h"

namespace asyncspy {

// About how many pages there are to copy, or nothing when the process is to be scouted. Reads the running target through
// `snapshot.memory`, of which it touches the interpreter's state, and finds `snapshot.runtime`.
[[nodiscard]] std::optional<std::uint64_t> expect_whole_copy(Target& target, Snapshot& snapshot);

// After that, and with what it said: the pages to copy, or nothing when there are so many more of them that it is to be scouted
// after all. Touches the threads' stacks.
[[nodiscard]] std::optional<std::vector<PageRange>> find_whole_copy(Target& target, Snapshot& snapshot, std::uint64_t expected);

// Up to so many pages a process is copied whole, however few its tasks are.
inline constexpr std::uint64_t kPagesOfSmall = 2'048;  // 8 MiB: copied in one or two milliseconds

}  // namespace asyncspy
