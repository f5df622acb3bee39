// The calls of machine code on a thread's stack, and where between them Python's frames belong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "native_frame.h"

namespace asyncspy {

struct NativeCall {
  NativeFrame frame;
  std::uint32_t python_frames = 0;  // how many frames of Thread::stack lie outside of it
  bool runs_python = false;         // it is the evaluation loop that executes the frames which follow
};

struct NativeCalls {
  std::vector<NativeCall> calls;  // outermost first
  std::string problem;            // why they do not reach the thread's start; empty: they do
  std::string apart;              // why Python's frames have no place between them; empty: they have
};

}  // namespace asyncspy
