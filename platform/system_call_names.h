// Names of the system calls of Linux on x86-64.
#pragma once

#include <string_view>

namespace asyncspy {

// "read" for 0; empty when the number is not known.
[[nodiscard]] std::string_view system_call_name(int number);

}  // namespace asyncspy
