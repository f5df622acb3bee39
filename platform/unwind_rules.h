// One step up a stack of machine code, by what the compiler wrote down for exceptions (.eh_frame), through libdw.
//
// Rules are followed and nothing is guessed: where there are none, or where they read memory that is not at hand, the step
// fails. They come from a file of the target, so that what they calculate is bounded.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "memory.h"
#include "process_facts.h"
#include "result.h"

struct Dwarf_CFI_s;

namespace asyncspy {

// By their DWARF numbers (System V ABI for AMD64, figure 3.36); 16 is the return address. Absent: not known any more.
struct UnwindRegisters {
  static constexpr std::size_t kFramePointer = 6;
  static constexpr std::size_t kStackPointer = 7;
  static constexpr std::size_t kReturnAddress = 16;
  std::array<std::optional<std::uint64_t>, 17> values;

  [[nodiscard]] std::uint64_t instruction_pointer() const { return values[kReturnAddress].value_or(0); }
  [[nodiscard]] std::uint64_t stack_pointer() const { return values[kStackPointer].value_or(0); }
};

[[nodiscard]] UnwindRegisters begin_unwinding(const Registers& registers);

struct UnwindStep {
  UnwindRegisters caller;
  std::uint64_t frame_end = 0;     // the canonical frame address: the stack pointer before the call
  bool is_outermost = false;       // the rules say that there is no caller
  bool is_signal_frame = false;    // put there by the kernel: its caller was interrupted, and did not call
};

// `place` is the address, as the file counts, by which the rule is chosen: of the instruction, or one less after a call.
[[nodiscard]] Result<UnwindStep> unwind_step(Dwarf_CFI_s* rules, std::uint64_t place, const UnwindRegisters& registers,
                                             Memory& memory);

}  // namespace asyncspy
