// Which system call a thread is in that the kernel has started again under the name restart_syscall.
//
// A stop interrupts the call that a thread sleeps in. For calls with a relative timeout the kernel goes on with what is
// left of it through restart_syscall, and from then on shows that number. So a second look at a process would find
// "restart_syscall" where the first one found "poll". The number that the program asked for still stands in the
// instruction that loaded it, just before the system call instruction.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "process_facts.h"

namespace asyncspy {

inline constexpr std::size_t kCodeBeforeCall = 32;

// `code` ends behind the system call instruction, where the thread would go on.
[[nodiscard]] std::optional<int> find_restarted_call(std::span<const std::byte> code);

[[nodiscard]] bool is_restarted(const SystemCall& call);

}  // namespace asyncspy
