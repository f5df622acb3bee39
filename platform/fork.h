// Whether a process is a fork of its parent that has executed no program of its own since.
#pragma once

#include <string_view>

namespace asyncspy {

// The parent's pid; 0: it is none, its parent has ended, or that can not be told. `auxiliary_vector` is the process's own.
//
// At each exec the kernel puts sixteen random bytes onto the new stack and tells their address (AT_RANDOM, getauxval(3)): a
// process that has its parent's bytes has its parent's program.
[[nodiscard]] int find_fork_parent(int pid, std::string_view auxiliary_vector);

}  // namespace asyncspy
