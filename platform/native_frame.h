// A thread's stack of machine code: what was called by what, as values. Stored with a snapshot, as the files that the names
// are from may be gone later.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "address.h"

namespace asyncspy {

struct NativeFrame {
  Address instruction;        // the next one that it executes
  Address stack_start;        // its stack pointer: what it keeps on the stack lies from here ...
  Address stack_end;          // ... up to its caller's stack pointer; null: not known
  std::string function;       // demangled; empty: no symbol covers the place
  std::string module;         // path of the file that is mapped there, "[vdso]", or empty
  std::uint64_t offset = 0;   // of the instruction in the module, as its own addresses count
  bool is_signal_frame = false;  // put there by the kernel: it calls a signal handler
};

struct NativeStack {
  int tid = 0;
  std::vector<NativeFrame> frames;  // innermost first
  std::string problem;              // why it does not reach the thread's start; empty: it does
};

}  // namespace asyncspy
