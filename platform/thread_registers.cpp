#include "thread_registers.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace asyncspy {
namespace {

// From include/linux/errno.h: how the kernel remembers that an interrupted call must be started again.
constexpr std::array<std::int64_t, 5> kInterrupted = {-512, -513, -514, -516, -EINTR};

}  // namespace

Registers copy_registers(const user_regs_struct& all) {
  Registers few;
  few.instruction_pointer = all.rip;
  few.stack_pointer = all.rsp;
  few.frame_pointer = all.rbp;
  few.thread_base = all.fs_base;
  few.rax = all.rax;
  few.rbx = all.rbx;
  few.r12 = all.r12;
  few.r13 = all.r13;
  few.r14 = all.r14;
  few.r15 = all.r15;
  return few;
}

bool is_in_user_mode(const user_regs_struct& all) { return static_cast<std::int64_t>(all.orig_rax) < 0; }

std::optional<SystemCall> find_interrupted_call(const user_regs_struct& all) {
  // A call with any other result is over, only its return to user mode was caught.
  const bool interrupted = std::ranges::find(kInterrupted, static_cast<std::int64_t>(all.rax)) != kInterrupted.end();
  if (is_in_user_mode(all) || all.orig_rax > INT_MAX || !interrupted) return std::nullopt;
  return SystemCall{static_cast<int>(all.orig_rax), {all.rdi, all.rsi, all.rdx, all.r10, all.r8, all.r9}};
}

}  // namespace asyncspy
