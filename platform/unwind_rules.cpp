#include "unwind_rules.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

namespace asyncspy {
namespace {

constexpr std::size_t kMostOperations = 256;
constexpr std::size_t kMostValues = 64;

struct FreeFrame {
  void operator()(Dwarf_Frame* frame) const { std::free(frame); }
};

// Calculates what a DWARF expression says. Without jumps, so that each operation is executed once.
class Expression {
 public:
  Expression(const UnwindRegisters& registers, std::optional<std::uint64_t> frame_end, Memory& memory)
      : registers_(registers), frame_end_(frame_end), memory_(memory) {}

  // False when it can not be calculated.
  bool run(std::span<const Dwarf_Op> operations) {
    if (operations.size() > kMostOperations) return false;
    for (const Dwarf_Op& operation : operations) {
      if (!execute(operation) || values_.size() > kMostValues) return false;
    }
    return !values_.empty();
  }

  [[nodiscard]] std::uint64_t result() const { return values_.back(); }
  [[nodiscard]] bool is_value() const { return is_value_; }  // and not the address of the value

 private:
  bool push(std::uint64_t value) {
    values_.push_back(value);
    return true;
  }

  bool push_register(std::uint64_t number, std::uint64_t offset) {
    if (number >= registers_.values.size() || !registers_.values[number]) return false;
    return push(*registers_.values[number] + offset);
  }

  std::optional<std::uint64_t> pop() {
    if (values_.empty()) return std::nullopt;
    const std::uint64_t value = values_.back();
    values_.pop_back();
    return value;
  }

  bool dereference(std::uint64_t size) {
    const auto address = pop();
    if (!address || size == 0 || size > sizeof(std::uint64_t)) return false;
    std::array<std::byte, sizeof(std::uint64_t)> bytes{};
    if (!memory_.read(Address{*address}, std::span(bytes).first(size))) return false;
    return push(std::bit_cast<std::uint64_t>(bytes));
  }

  bool combine(unsigned operation) {
    const auto right = pop();
    const auto left = pop();
    if (!left || !right) return false;
    const auto a = static_cast<std::int64_t>(*left);
    const auto b = static_cast<std::int64_t>(*right);
    switch (operation) {
      case DW_OP_plus: return push(*left + *right);
      case DW_OP_minus: return push(*left - *right);
      case DW_OP_mul: return push(*left * *right);
      case DW_OP_and: return push(*left & *right);
      case DW_OP_or: return push(*left | *right);
      case DW_OP_xor: return push(*left ^ *right);
      case DW_OP_shl: return push(*right < 64 ? *left << *right : 0);
      case DW_OP_shr: return push(*right < 64 ? *left >> *right : 0);
      case DW_OP_shra: return push(static_cast<std::uint64_t>(a >> (*right < 64 ? *right : 63)));
      case DW_OP_eq: return push(a == b);
      case DW_OP_ne: return push(a != b);
      case DW_OP_lt: return push(a < b);
      case DW_OP_le: return push(a <= b);
      case DW_OP_gt: return push(a > b);
      case DW_OP_ge: return push(a >= b);
      default: return false;
    }
  }

  bool pick(std::uint64_t depth) { return depth < values_.size() && push(values_[values_.size() - 1 - depth]); }

  bool execute(const Dwarf_Op& operation) {
    const unsigned code = operation.atom;
    if (code >= DW_OP_lit0 && code <= DW_OP_lit31) return push(code - DW_OP_lit0);
    if (code >= DW_OP_breg0 && code <= DW_OP_breg31) return push_register(code - DW_OP_breg0, operation.number);
    if (code >= DW_OP_reg0 && code <= DW_OP_reg31) return is_value_ = true, push_register(code - DW_OP_reg0, 0);
    switch (code) {
      case DW_OP_nop: return true;
      case DW_OP_call_frame_cfa: return frame_end_ && push(*frame_end_);
      case DW_OP_bregx: return push_register(operation.number, operation.number2);
      case DW_OP_regx: return is_value_ = true, push_register(operation.number, 0);
      case DW_OP_plus_uconst: return !values_.empty() && push(*pop() + operation.number);
      case DW_OP_const1u: case DW_OP_const1s: case DW_OP_const2u: case DW_OP_const2s: case DW_OP_const4u: case DW_OP_const4s:
      case DW_OP_const8u: case DW_OP_const8s: case DW_OP_constu: case DW_OP_consts: case DW_OP_addr: return push(operation.number);
      case DW_OP_deref: return dereference(sizeof(std::uint64_t));
      case DW_OP_deref_size: return dereference(operation.number);
      case DW_OP_dup: return pick(0);
      case DW_OP_over: return pick(1);
      case DW_OP_pick: return pick(operation.number);
      case DW_OP_drop: return pop().has_value();
      case DW_OP_neg: return !values_.empty() && push(-*pop());
      case DW_OP_not: return !values_.empty() && push(~*pop());
      case DW_OP_stack_value: return is_value_ = true;
      default: return combine(code);
    }
  }

  const UnwindRegisters& registers_;
  std::optional<std::uint64_t> frame_end_;
  Memory& memory_;
  std::vector<std::uint64_t> values_;
  bool is_value_ = false;
};

// The caller's value of one register; nothing when it is lost. Fails when the rule can not be followed.
Result<std::optional<std::uint64_t>> find_value(Dwarf_Frame* frame, std::size_t number, std::uint64_t frame_end,
                                                const UnwindRegisters& registers, Memory& memory) {
  std::array<Dwarf_Op, 3> room{};
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (::dwarf_frame_register(frame, static_cast<int>(number), room.data(), &operations, &count) != 0) {
    return fail(ErrorKind::kCorrupt, "the rules make no sense");
  }
  if (count == 0) return operations == nullptr ? registers.values[number] : std::nullopt;  // the same, or undefined
  Expression expression(registers, frame_end, memory);
  if (!expression.run({operations, count})) return fail(ErrorKind::kUnreadable, "the stack could not be read", {}, Address{frame_end});
  if (expression.is_value()) return expression.result();
  const auto value = memory.read_value<std::uint64_t>(Address{expression.result()});
  if (!value) return fail(ErrorKind::kUnreadable, "the stack could not be read", {}, Address{expression.result()});
  return *value;
}

}  // namespace

UnwindRegisters begin_unwinding(const Registers& registers) {
  UnwindRegisters all;
  all.values[0] = registers.rax;
  all.values[3] = registers.rbx;
  all.values[UnwindRegisters::kFramePointer] = registers.frame_pointer;
  all.values[UnwindRegisters::kStackPointer] = registers.stack_pointer;
  all.values[12] = registers.r12;
  all.values[13] = registers.r13;
  all.values[14] = registers.r14;
  all.values[15] = registers.r15;
  all.values[UnwindRegisters::kReturnAddress] = registers.instruction_pointer;
  return all;
}

Result<UnwindStep> unwind_step(Dwarf_CFI_s* rules, std::uint64_t place, const UnwindRegisters& registers, Memory& memory) {
  Dwarf_Frame* found = nullptr;
  if (rules == nullptr || ::dwarf_cfi_addrframe(rules, place, &found) != 0) {
    return fail(ErrorKind::kUnreadable, "nothing says how the code there uses the stack");
  }
  const std::unique_ptr<Dwarf_Frame, FreeFrame> frame(found);
  UnwindStep step;
  Dwarf_Addr start = 0;
  Dwarf_Addr end = 0;
  const int return_register = ::dwarf_frame_info(frame.get(), &start, &end, &step.is_signal_frame);
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (return_register != int{UnwindRegisters::kReturnAddress} || ::dwarf_frame_cfa(frame.get(), &operations, &count) != 0) {
    return fail(ErrorKind::kCorrupt, "the rules make no sense");
  }
  Expression expression(registers, std::nullopt, memory);
  if (count == 0 || !expression.run({operations, count})) return fail(ErrorKind::kUnreadable, "the end of its frame is not known");
  step.frame_end = expression.result();
  for (std::size_t number = 0; number < registers.values.size(); ++number) {
    auto value = find_value(frame.get(), number, step.frame_end, registers, memory);
    if (!value && number == UnwindRegisters::kReturnAddress) return std::unexpected(std::move(value.error()));
    step.caller.values[number] = value ? *value : std::nullopt;
  }
  if (!step.caller.values[UnwindRegisters::kStackPointer]) step.caller.values[UnwindRegisters::kStackPointer] = step.frame_end;
  step.is_outermost = step.caller.instruction_pointer() == 0;
  return step;
}

}  // namespace asyncspy
