// What the registers of a thread that stands still tell: of a stopped thread as well as of one in a core file.
#pragma once

#include <sys/user.h>

#include <optional>

#include "process_facts.h"

namespace asyncspy {

[[nodiscard]] Registers copy_registers(const user_regs_struct& all);

// It was in no system call.
[[nodiscard]] bool is_in_user_mode(const user_regs_struct& all);

// The call that the thread slept in, or was about to sleep in, until it was interrupted for the stop.
[[nodiscard]] std::optional<SystemCall> find_interrupted_call(const user_regs_struct& all);

}  // namespace asyncspy
