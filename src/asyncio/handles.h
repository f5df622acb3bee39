// asyncio.Handle and asyncio.TimerHandle (Lib/asyncio/events.py), which keep their state in __slots__.
#pragma once

#include <optional>
#include <vector>

#include "inspection.h"

namespace asyncspy {

struct Handle {
  Address address;
  Address callback;
  std::vector<Address> arguments;
  bool cancelled = false;
  std::optional<double> when;  // timers: loop time in seconds
};

[[nodiscard]] Result<Handle> read_handle(Inspection& inspection, Address object);

}  // namespace asyncspy
