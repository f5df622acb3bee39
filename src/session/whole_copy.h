// Which processes are copied whole instead of being scouted: those of which nearly everything matters, or that are small.
#pragma once

#include <optional>
#include <vector>

#include "page_ranges.h"
#include "snapshot.h"

namespace asyncspy {

// The pages to copy, or nothing when the process is to be scouted. Reads the running target through `snapshot.memory`, of
// which it touches the interpreter's state and the threads' stacks, and finds `snapshot.runtime`.
[[nodiscard]] std::optional<std::vector<PageRange>> find_whole_copy(Target& target, Snapshot& snapshot);

}  // namespace asyncspy
