// The little of an event loop that is cheap to read many times a second: how much is ready, and when its first timer is due.
#pragma once

#include <cstdint>
#include <optional>

#include "inspection.h"

namespace asyncspy {

struct LoopGlance {
  std::optional<std::uint64_t> ready;         // handles in the ready queue; absent: could not be read
  std::optional<double> first_timer;          // loop time of the first timer that is not cancelled yet
  std::optional<double> ready_deadline;       // of a timer that already moved to the ready queue
};

// Nothing in it when the loop is none of asyncio's own (uvloop), or could not be read.
[[nodiscard]] LoopGlance glance_at_loop(Inspection& inspection, Address loop);

}  // namespace asyncspy
