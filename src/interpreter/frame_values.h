// The objects that a frame keeps alive: its local variables, and the values on its evaluation stack.
#pragma once

#include <vector>

#include "inspection.h"

namespace asyncspy {

struct FrameValues {
  std::vector<Address> locals;  // with cells and free variables, as stored: a cell is a cell; null: not bound
  std::vector<Address> stack;   // bottom first; empty when `stack_is_known` is false
  bool stack_is_known = false;  // false: it executes, and how high its stack is only the processor knows
  // Then: what lies in the lowest places of the stack. It is there now, or was and has been left behind: its memory may belong to
  // another object since.
  std::vector<Address> lowest;
};

// `frame` as in RawFrame::address. Fails when the frame makes no sense.
[[nodiscard]] Result<FrameValues> read_frame_values(Inspection& inspection, Address frame);

}  // namespace asyncspy
