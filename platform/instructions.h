// What a small compiled function reads of its first argument: x86-64 machine code, decoded by Capstone.
//
// CPython's getters (`tp_getset`) take the object as first argument and return one member of it. The offset that such
// a function touches is the truth about where the member lies, whatever the version says.
#pragma once

#include <cstdint>
#include <vector>

#include "memory.h"

namespace asyncspy {

// One read of memory at [first argument + offset].
struct ArgumentAccess {
  std::int32_t offset = 0;
  std::uint8_t size = 0;             // bytes
  std::uint32_t bit_mask = 0;        // of a bit that is tested or extracted from what was read; 0: none seen
};

// All reads through the first argument (rdi or a copy of it), in the order of the code, up to the end of the
// function. Tail calls are followed, ordinary calls and both sides of branches are walked over. Bounded.
[[nodiscard]] Result<std::vector<ArgumentAccess>> find_argument_accesses(Memory& memory, Address function);

// The address that a function without arguments loads first: PyInterpreterState_Head returns
// _PyRuntime.interpreters.head. `displacement` is what is added to it when the load goes through a pointer.
struct GlobalLoad {
  Address address;                 // of the variable that is loaded, or of the structure that it is part of
  std::int32_t displacement = 0;
  bool through_table = false;      // `address` is a slot of the global offset table: the structure's address is stored there
};
[[nodiscard]] Result<GlobalLoad> find_global_load(Memory& memory, Address function);

}  // namespace asyncspy
