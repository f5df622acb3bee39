// Why the kernel refuses, in words that lead out of it.
#pragma once

#include <optional>
#include <string>

#include "result.h"

namespace asyncspy {

// What to do about a refusal. `yama_scope` is /proc/sys/kernel/yama/ptrace_scope, where that exists.
[[nodiscard]] std::string permission_hint(std::optional<int> yama_scope);

[[nodiscard]] std::optional<int> read_yama_scope();

// The error for a process that exists and may not be read or stopped: another debugger holds it, or the rights do not
// suffice. `doing` completes "the kernel does not let asyncspy ...".
[[nodiscard]] Error explain_refusal(int pid, const std::string& doing);

[[nodiscard]] Error process_ended(int pid);

}  // namespace asyncspy
