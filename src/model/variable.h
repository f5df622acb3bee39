// Arguments and local variables of a frame, as text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace asyncspy {

enum class VariableKind : std::uint8_t {
  kArgument,
  kLocal,
  kClosure,  // of an enclosing function
};

struct Variable {
  std::string name;
  std::string value;  // much like repr(); <masked>: a secret, <unreadable>: its memory could not be read
  VariableKind kind = VariableKind::kLocal;
};

// What one frame has bound. Frames refer to it by index into Report::locals.
struct FrameLocals {
  std::vector<Variable> variables;  // in the order of the code
  std::uint32_t left_out = 0;       // bound ones beyond those that are shown
  std::string gap;                  // why they could not be read, or empty
};

}  // namespace asyncspy
