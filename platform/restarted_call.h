// Which system call a thread is in that the kernel has started again under the name restart_syscall.
//
// A stop interrupts the call that a thread sleeps in. For calls with a relative timeout the kernel goes on with what is
// left of it through restart_syscall, and from then on shows that number. So a second look at a process would find
// "restart_syscall" where the first one found "poll". The number that the program asked for is still to be had: it stands in
// the instruction that loaded it just before the system call instruction, or, since glibc 2.41, on the stack, from where the
// one function through which all cancellable calls go takes it (sysdeps/x86_64/nptl syscall_cancel.S, nptl/cancellation.c).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "process_facts.h"

namespace asyncspy {

// Fills the span with the thread's memory, or says false.
using ReadThread = std::function<bool(std::uint64_t from, std::span<std::byte> into)>;

// The two pointers are where the thread goes on behind the system call instruction.
[[nodiscard]] std::optional<int> find_restarted_call(std::uint64_t instruction_pointer, std::uint64_t stack_pointer, const ReadThread& read);

[[nodiscard]] bool is_restarted(const SystemCall& call);

}  // namespace asyncspy
