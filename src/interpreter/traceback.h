// Where an exception was raised: the traceback that it carries.
#pragma once

#include <vector>

#include "inspection.h"

namespace asyncspy {

struct RaisedAt {
  FunctionIndex function = kNoFunction;
  std::int32_t line = 0;  // 0: not known
};

// The frames that the exception came through, as Python prints them: where it was raised comes last. Of a long traceback the
// last ones. Empty when the exception has none. `exception` is one; that is not checked.
[[nodiscard]] Result<std::vector<RaisedAt>> read_traceback(Inspection& inspection, Address exception);

}  // namespace asyncspy
