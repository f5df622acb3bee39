// What a callback is, and what it holds.
#pragma once

#include <string>
#include <vector>

#include "inspection.h"

namespace asyncspy {

struct Callable {
  std::string name;            // qualified name as far as known, or the type's name
  std::vector<Address> holds;  // bound self, partial arguments, closure cell contents; in that order
};

// Looks through bound methods, partials, functions, builtins and asyncio's own step and wake-up wrappers.
[[nodiscard]] Callable describe_callable(Inspection& inspection, Address object);

}  // namespace asyncspy
