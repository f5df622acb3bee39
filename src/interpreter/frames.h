// Python frames in both of their forms: _PyInterpreterFrame (3.11+) and PyFrameObject (3.7-3.10).
#pragma once

#include <vector>

#include "frame_run.h"
#include "gap.h"
#include "inspection.h"

namespace asyncspy {

// One frame as read: where it is in its code, and whose it is.
struct RawFrame {
  Address address;
  Address previous;
  Code* code = nullptr;
  std::int64_t offset = 0;   // of the current instruction, in bytes; negative: not started
  bool is_shim = false;      // belongs to the interpreter itself; has no code
  bool is_complete = true;   // false: the call is still being set up
  Address generator;         // the coroutine or generator that owns the frame, or null
};

[[nodiscard]] Result<RawFrame> read_frame(Inspection& inspection, Address frame);

// The frame as it is shown: its function, line and kind. `running` is left false.
[[nodiscard]] Frame show_frame(Inspection& inspection, const RawFrame& raw);

struct WalkedFrame {
  Frame shown;
  Address address;  // of the frame structure
};

struct StackWalk {
  std::vector<WalkedFrame> frames;  // outermost first
  std::vector<FrameRun> runs;       // of these frames, outermost first
  std::vector<Gap> gaps;
  std::size_t shims = 0;  // frames of the interpreter itself that were passed over
};

// The frames from `innermost` outwards. Never fails: what can not be read becomes a gap and ends the walk. `cframe`: the
// thread's innermost one, where there are such; without it the runs of frames are not told apart there.
[[nodiscard]] StackWalk walk_stack(Inspection& inspection, Address innermost, Address cframe = {});

// Value number `index` of the frame's locals (arguments first), or null.
[[nodiscard]] Result<Address> read_local(const Inspection& inspection, Address frame, std::size_t index);

}  // namespace asyncspy
