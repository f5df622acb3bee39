// Python frames that one call of the interpreter's evaluation loop executes.
#pragma once

#include <cstdint>

#include "address.h"

namespace asyncspy {

// Up to 3.10 each frame has a call of its own. Later a Python function that Python calls joins its caller's.
struct FrameRun {
  std::uint32_t frames = 0;  // those that a stack shows; 0: its only ones are still being set up
  Address anchor;            // something that lies in the machine's stack frame of that call, or null
};

}  // namespace asyncspy
