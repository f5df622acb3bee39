#include "restarted_call.h"

#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace asyncspy {
namespace {

// The calls that leave a restart block (users of set_restart_fn in the kernel).
constexpr std::array<std::uint64_t, 4> kRestartable = {SYS_nanosleep, SYS_clock_nanosleep, SYS_poll, SYS_futex};

constexpr std::size_t kCodeBefore = 40;  // bytes before and with the instruction
using Code = std::array<std::byte, kCodeBefore>;

template <std::size_t N>
using Bytes = std::array<std::uint8_t, N>;

constexpr Bytes<2> kSystemCall = {0x0F, 0x05};
constexpr std::uint8_t kLoadEax = 0xB8;                          // mov eax, imm32
constexpr Bytes<3> kMoveNumber = {0x48, 0x89, 0xF0};             // mov rax, rsi
constexpr Bytes<4> kLoadNumber = {0x48, 0x8B, 0x44, 0x24};       // mov rax, [rsp + imm8]
constexpr Bytes<4> kLoadSecondArgument = {0x48, 0x8B, 0x74, 0x24};  // mov rsi, [rsp + imm8]

// Where the bytes stand last, as an offset into the code.
template <std::size_t N>
std::optional<std::size_t> find_last(std::span<const std::byte> code, const Bytes<N>& wanted) {
  for (std::size_t at = code.size() < N ? 0 : code.size() - N + 1; at-- > 0;) {
    if (std::memcmp(code.data() + at, wanted.data(), N) == 0) return at;
  }
  return std::nullopt;
}

std::optional<int> accept(std::uint64_t number) {
  if (std::ranges::find(kRestartable, number) == kRestartable.end()) return std::nullopt;
  return static_cast<int>(number);
}

class NumberSearch {
 public:
  NumberSearch(std::uint64_t stack_pointer, const ReadThread& read) : stack_pointer_(stack_pointer), read_(read) {}

  std::optional<int> run(std::uint64_t instruction_pointer) {
    Code code;
    if (!read_(instruction_pointer - code.size(), code)) return std::nullopt;
    const auto before = std::span<const std::byte>(code).first(code.size() - kSystemCall.size());
    if (std::memcmp(code.data() + before.size(), kSystemCall.data(), kSystemCall.size()) != 0) return std::nullopt;
    if (auto number = find_in_code(before)) return number;
    if (auto number = find_on_stack(before, kLoadNumber, 0)) return number;
    return find_in_caller(before);
  }

 private:
  // The compiler may set other registers in between: take the load that is nearest to the call.
  static std::optional<int> find_in_code(std::span<const std::byte> before) {
    constexpr std::size_t kLoadSize = 5;
    if (before.size() < kLoadSize) return std::nullopt;
    for (std::size_t at = before.size() - kLoadSize + 1; at-- > 0;) {
      if (before[at] != std::byte{kLoadEax}) continue;
      std::uint32_t number = 0;
      std::memcpy(&number, before.data() + at + 1, sizeof(number));
      if (auto accepted = accept(number)) return accepted;
    }
    return std::nullopt;
  }

  // `pushed`: how much lower the stack pointer was when the instruction was executed.
  std::optional<int> find_on_stack(std::span<const std::byte> code, const Bytes<4>& load, std::uint64_t pushed) {
    const auto at = find_last(code, load);
    if (!at || *at + load.size() >= code.size()) return std::nullopt;
    std::array<std::byte, 8> word;
    if (!read_(stack_pointer_ + pushed + static_cast<std::uint64_t>(code[*at + load.size()]), word)) return std::nullopt;
    std::uint64_t number = 0;
    std::memcpy(&number, word.data(), sizeof number);
    return accept(number);
  }

  // __syscall_cancel_arch(ch, number, ...) moves its second argument; its caller has loaded that from its own stack.
  std::optional<int> find_in_caller(std::span<const std::byte> before) {
    if (!find_last(before, kMoveNumber)) return std::nullopt;
    std::array<std::byte, 8> word;
    if (!read_(stack_pointer_, word)) return std::nullopt;
    std::uint64_t caller = 0;
    std::memcpy(&caller, word.data(), sizeof caller);
    Code code;
    if (!read_(caller - code.size(), code)) return std::nullopt;
    return find_on_stack(code, kLoadSecondArgument, sizeof caller);
  }

  std::uint64_t stack_pointer_;
  const ReadThread& read_;
};

}  // namespace

bool is_restarted(const SystemCall& call) { return call.number == SYS_restart_syscall; }

std::optional<int> find_restarted_call(std::uint64_t instruction_pointer, std::uint64_t stack_pointer, const ReadThread& read) {
  return NumberSearch(stack_pointer, read).run(instruction_pointer);
}

}  // namespace asyncspy
