// Python's thread states.
#pragma once

#include <vector>

#include "gap.h"
#include "inspection.h"
#include "runtime.h"

namespace asyncspy {

struct ThreadState {
  Address address;
  std::int64_t interpreter = 0;
  std::uint64_t thread_id = 0;         // pthread_self
  std::uint64_t native_thread_id = 0;  // tid as the target sees it; 0 where the release does not tell
  Address frame;                       // innermost frame, or null
  Address cframe;                      // innermost _PyCFrame (3.11-3.12), or null
  Address dict;
  Address running_loop;  // 3.13+, or null
  Address running_task;  // 3.14+, or null
};

// All thread states of the interpreter, newest first. Ends at the first one that can not be read, with a gap.
[[nodiscard]] std::vector<ThreadState> read_thread_states(const ObjectReader& reader, const Interpreter& interpreter,
                                                          std::vector<Gap>& gaps);

}  // namespace asyncspy
