// Which finished tasks are still in local variables of suspended frames: there somebody may still ask how they ended.
#pragma once

#include "inspection.h"
#include "read_task.h"

namespace asyncspy {

// Those of `finished` that a frame of `raw_tasks` has, itself or in a list, tuple, set or dict. Bounded: what is not looked at is
// not among them.
[[nodiscard]] AddressSet find_held_tasks(Inspection& inspection, const AddressSet& finished, const std::vector<RawTask>& raw_tasks);

}  // namespace asyncspy
