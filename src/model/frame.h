// Functions and frames of the inspected program, as values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "address.h"

namespace asyncspy {

// One code object. Frames refer to it by index into Report::functions, so that a million frames stay small.
struct Function {
  std::string name;            // co_name
  std::string qualified_name;  // co_qualname (3.11+); before, the generator's own or co_name
  std::string file;            // co_filename
  int first_line = 0;
};

using FunctionIndex = std::uint32_t;
inline constexpr FunctionIndex kNoFunction = 0xFFFFFFFF;
inline constexpr std::uint32_t kNoLocals = 0xFFFFFFFF;

enum class FrameKind : std::uint8_t {
  kFunction,        // an ordinary call on a thread's stack
  kCoroutine,       // async def
  kGenerator,       // a generator that takes part in awaiting: types.coroutine, __await__
  kAsyncGenerator,  // async def with yield
  kOpaque,          // a link of an await chain that has no Python frame: Cython, a C __await__; see type_name
};

struct Frame {
  FunctionIndex function = kNoFunction;  // kNoFunction: opaque, or its code could not be read
  std::int32_t line = 0;                 // 0: not known (no line, or a frame still being set up)
  FrameKind kind = FrameKind::kFunction;
  bool running = false;       // on a thread's stack now, as opposed to suspended
  std::uint32_t type_name = kNoFunction;  // kOpaque: index into Report::names
  std::uint32_t name = kNoFunction;       // the object's own qualified name, where it differs from the code's
  std::uint32_t locals = kNoLocals;       // index into Report::locals, where they were asked for
  Address object;             // the coroutine or generator, or null for an ordinary call
};

}  // namespace asyncspy
