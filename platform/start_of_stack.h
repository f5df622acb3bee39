// The arguments of a process, as they lie where its first thread's stack begins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "memory.h"

namespace asyncspy {

// The kernel puts the number of arguments, their addresses, a zero, those of the environment, a zero and the auxiliary
// vector onto a new stack. The last is known, so that it can be found there. `last` is an address behind all of these
// (AT_EXECFN). Empty when this is not found whole.
[[nodiscard]] std::vector<std::string> read_arguments(Memory& memory, std::string_view auxiliary_vector, Address last);

}  // namespace asyncspy
