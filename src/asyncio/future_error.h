// The exception that a future or task ended with.
#pragma once

#include "find_asyncio.h"

namespace asyncspy {

// Null: it ended with none, has not ended, or that can not be read. Of any future or task in C or Python.
[[nodiscard]] Address find_future_error(Inspection& inspection, const Asyncio& asyncio, Address future);

}  // namespace asyncspy
