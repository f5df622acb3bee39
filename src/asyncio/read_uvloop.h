// uvloop's event loop (uvloop/loop.pyx): an extension type without attributes, whose members are told by their types.
//
// Offsets inside uvloop's and libuv's own structures were measured on uvloop 0.14 to 0.23 and libuv up to 1.53; they are
// no part of CPython's layouts. What does not look as expected becomes a gap.
#pragma once

#include "read_loop.h"

namespace asyncspy {

[[nodiscard]] bool is_uvloop(Inspection& inspection, const Type& type);

// The deque of its ready handles.
[[nodiscard]] Result<Address> find_uvloop_ready(Inspection& inspection, Address loop);

// Where libuv keeps the time of its loop, in milliseconds: it sets that (uv__update_time in src/unix/core.c) when it begins another turn
// and when something ended its wait.
[[nodiscard]] Result<Address> find_uvloop_time(Inspection& inspection, Address loop);

// Fills what read_loop() fills for asyncio's own loops. Never fails: see RawLoop::loop.gaps.
void read_uvloop(Inspection& inspection, RawLoop& raw, LoopIndex& index);

}  // namespace asyncspy
