// Puts a thread's calls of machine code and its Python frames into one order.
#pragma once

#include "native_call.h"
#include "thread.h"

namespace asyncspy {

// A run of Python frames belongs to the call of the evaluation loop in whose part of the stack the run's anchor lies. Where
// runs have no anchors (up to 3.10), calls of the loop are known by their name, and there must be as many as runs. What does
// not fit is not guessed: the two are shown apart then, with the reason.
[[nodiscard]] NativeCalls merge_native_stack(const NativeStack& stack, const std::vector<FrameRun>& runs);

}  // namespace asyncspy
