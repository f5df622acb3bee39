// From a task's coroutine through everything that it delegates to, to what it finally awaits.
#pragma once

#include <vector>

#include "gap.h"
#include "inspection.h"

namespace asyncspy {

enum class ChainEnd : std::uint8_t {
  kFuture,       // a future or task: AwaitChain::awaited
  kPlainYield,   // the innermost generator suspended at a bare yield (asyncio.sleep(0), a pure-Python future)
  kRunning,      // the chain goes on on a thread's stack
  kNotStarted,
  kFinished,
  kUnknownLink,  // an awaitable without a frame that asyncspy does not know; it is the last frame
  kBroken,       // see gaps
};

// A link that was suspended while it handles an exception.
struct Handled {
  std::uint32_t frame = 0;  // index into the chain's frames
  Address exception;        // or None
};

struct AwaitChain {
  std::vector<Frame> frames;             // outermost first
  std::vector<Address> frame_addresses;  // beside each: its frame structure, or null
  std::vector<Handled> handled;
  ChainEnd end = ChainEnd::kBroken;
  Address awaited;
  std::vector<Gap> gaps;
};

// Never fails: what can not be read becomes a gap and ends the chain.
[[nodiscard]] AwaitChain walk_await_chain(Inspection& inspection, Address coroutine);

}  // namespace asyncspy
