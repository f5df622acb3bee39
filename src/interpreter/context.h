// Context variables of a contextvars.Context.
#pragma once

#include <vector>

#include "inspection.h"

namespace asyncspy {

struct ContextEntry {
  Address variable;  // the ContextVar
  Address value;
};

// All variables that are set in the context, in no order that means anything.
[[nodiscard]] Result<std::vector<ContextEntry>> read_context(Inspection& inspection, Address context);

}  // namespace asyncspy
