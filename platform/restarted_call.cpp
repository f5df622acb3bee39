#include "restarted_call.h"

#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace asyncspy {
namespace {

// The calls that leave a restart block (users of set_restart_fn in the kernel).
constexpr std::array<std::uint32_t, 4> kRestartable = {SYS_nanosleep, SYS_clock_nanosleep, SYS_poll, SYS_futex};

constexpr std::byte kLoadEax{0xB8};  // mov eax, imm32
constexpr std::byte kSystemCall[] = {std::byte{0x0F}, std::byte{0x05}};

}  // namespace

bool is_restarted(const SystemCall& call) { return call.number == SYS_restart_syscall; }

std::optional<int> find_restarted_call(std::span<const std::byte> code) {
  constexpr std::size_t kLoadSize = 5;
  if (code.size() < kLoadSize + sizeof(kSystemCall)) return std::nullopt;
  const auto before = code.first(code.size() - sizeof(kSystemCall));
  if (std::memcmp(before.data() + before.size(), kSystemCall, sizeof(kSystemCall)) != 0) return std::nullopt;
  // The compiler may set other registers in between: take the load that is nearest to the call.
  for (std::size_t at = before.size() - kLoadSize + 1; at-- > 0;) {
    if (before[at] != kLoadEax) continue;
    std::uint32_t number = 0;
    std::memcpy(&number, before.data() + at + 1, sizeof(number));
    if (std::ranges::find(kRestartable, number) != kRestartable.end()) return static_cast<int>(number);
  }
  return std::nullopt;
}

}  // namespace asyncspy
