// What a callback is, and what it holds.
#pragma once

#include <string_view>
#include <vector>

#include "inspection.h"

namespace asyncspy {

struct Callable {
  std::uint32_t name_index = kNoFunction;  // into names
  std::string_view name;       // there: qualified name as far as known, or the type's name; or empty
  std::vector<Address> holds;  // bound self, partial arguments, closure cell contents; in that order
};

// Looks through bound methods, partials, functions, builtins and asyncio's own step and wake-up wrappers.
[[nodiscard]] Callable describe_callable(Inspection& inspection, Address object);

}  // namespace asyncspy
