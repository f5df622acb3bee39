// Brings what one inspection has read into the tables of another one, of the same memory and layout.
//
// Frames and timers name functions and names by their index in the tables of the inspection that read them.
#pragma once

#include <vector>

#include "frame.h"
#include "inspection.h"

namespace asyncspy {

class InspectionMerge {
 public:
  InspectionMerge(const Inspection& from, Inspection& into) : from_(from), into_(into) {}

  // The index of that name in the other tables, where it is added when it is missing; none stays none.
  [[nodiscard]] std::uint32_t adopt_name(std::uint32_t name);

  // Fails when the code that the function was read from can not be read any more.
  [[nodiscard]] Result<FunctionIndex> adopt_function(FunctionIndex function);

  // All indices of a frame. Where it fails the frame has no function.
  [[nodiscard]] Result<void> adopt(Frame& frame);

 private:
  const Inspection& from_;
  Inspection& into_;
  std::vector<std::uint32_t> names_;       // by their old index, as far as they were asked for
  std::vector<FunctionIndex> functions_;  // likewise
};

}  // namespace asyncspy
