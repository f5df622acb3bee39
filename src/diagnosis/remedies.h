// What to do about a blocking call, in the words of today's asyncio: asynchronous drivers by name.
#pragma once

#include <string>

#include "blocked_step.h"

namespace asyncspy {

[[nodiscard]] std::string find_remedy(const Report& report, const BlockedStep& step);

}  // namespace asyncspy
