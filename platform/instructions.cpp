#include "instructions.h"

#include <capstone/capstone.h>

#include <algorithm>
#include <array>
#include <memory>

namespace asyncspy {
namespace {

constexpr std::size_t kMaxInstructions = 256;
constexpr int kMaxTailCalls = 4;
constexpr std::size_t kWindow = 16;  // the longest x86 instruction has 15 bytes

class Disassembler {
 public:
  // One for each thread: Capstone makes tables for every one, which takes longer than to decode some functions.
  static Disassembler& of_this_thread() {
    thread_local Disassembler disassembler;
    return disassembler;
  }

  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;
  ~Disassembler() {
    if (instruction_ != nullptr) cs_free(instruction_, 1);
    if (open_) cs_close(&handle_);
  }

  // The instruction at `at`; valid until the next call.
  Result<const cs_insn*> decode(Memory& memory, Address at) {
    if (instruction_ == nullptr) return fail(ErrorKind::kInternal, "disassembler: Capstone could not be started");
    std::array<std::byte, kWindow> bytes{};
    std::size_t available = bytes.size();
    if (!memory.read(at, bytes)) {  // the end of the mapping: take what is before the next page
      available = std::min<std::size_t>(kWindow, kPageSize - at.value() % kPageSize);
      if (auto done = memory.read(at, std::span(bytes).first(available)); !done) return std::unexpected(std::move(done.error()));
    }
    const auto* code = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::uint64_t address = at.value();
    if (!cs_disasm_iter(handle_, &code, &available, &address, instruction_)) {
      return fail(ErrorKind::kCorrupt, "not machine code", {}, at);
    }
    return instruction_;
  }

 private:
  Disassembler() {
    open_ = cs_open(CS_ARCH_X86, CS_MODE_64, &handle_) == CS_ERR_OK && cs_option(handle_, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK;
    if (open_) instruction_ = cs_malloc(handle_);
  }

  csh handle_ = 0;
  bool open_ = false;
  cs_insn* instruction_ = nullptr;
};

// 64-bit registers that hold the first argument.
class ArgumentCopies {
 public:
  ArgumentCopies() { add(X86_REG_RDI); }
  [[nodiscard]] bool contains(unsigned reg) const { return std::find(held_.begin(), held_.end(), reg) != held_.end(); }
  void add(unsigned reg) {
    if (!contains(reg)) held_.push_back(reg);
  }
  void remove(unsigned reg) { std::erase(held_, widen(reg)); }
  // A call keeps only the callee-saved registers (System V ABI).
  void after_call() {
    constexpr unsigned kSaved[] = {X86_REG_RBX, X86_REG_RBP, X86_REG_R12, X86_REG_R13, X86_REG_R14, X86_REG_R15};
    std::erase_if(held_, [&](unsigned reg) { return std::find(std::begin(kSaved), std::end(kSaved), reg) == std::end(kSaved); });
  }

 private:
  static unsigned widen(unsigned reg) {
    switch (reg) {
      case X86_REG_EDI: case X86_REG_DI: case X86_REG_DIL: return X86_REG_RDI;
      case X86_REG_ESI: return X86_REG_RSI;
      case X86_REG_EAX: case X86_REG_AX: case X86_REG_AL: return X86_REG_RAX;
      case X86_REG_EBX: case X86_REG_BL: return X86_REG_RBX;
      case X86_REG_ECX: case X86_REG_CL: return X86_REG_RCX;
      case X86_REG_EDX: case X86_REG_DL: return X86_REG_RDX;
      case X86_REG_EBP: return X86_REG_RBP;
      default: return reg;
    }
  }
  std::vector<unsigned> held_;
};

class AccessScan {
 public:
  explicit AccessScan(Memory& memory) : memory_(memory) {}

  Result<std::vector<ArgumentAccess>> run(Address function) {
    Address at = function;
    int tail_calls = 0;
    for (std::size_t count = 0; count < kMaxInstructions; ++count) {
      ASYNCSPY_TRY(instruction, disassembler_.decode(memory_, at));
      at = at + instruction->size;
      if (instruction->id == X86_INS_RET) break;
      note(*instruction);
      if (instruction->id == X86_INS_CALL) copies_.after_call();
      if (instruction->id != X86_INS_JMP) continue;
      const cs_x86_op& operand = instruction->detail->x86.operands[0];
      if (operand.type != X86_OP_IMM || ++tail_calls > kMaxTailCalls) break;
      at = Address{static_cast<std::uint64_t>(operand.imm)};
    }
    return std::move(accesses_);
  }

 private:
  void note(const cs_insn& instruction) {
    const cs_x86& x86 = instruction.detail->x86;
    bool is_copy = false;
    unsigned written = X86_REG_INVALID;
    for (unsigned i = 0; i < x86.op_count; ++i) {
      const cs_x86_op& operand = x86.operands[i];
      bool is_address_only = instruction.id == X86_INS_LEA || instruction.id == X86_INS_NOP;
      if (operand.type == X86_OP_MEM && !is_address_only && copies_.contains(operand.mem.base) &&
          operand.mem.index == X86_REG_INVALID && (operand.access & CS_AC_READ) != 0) {
        accesses_.push_back({static_cast<std::int32_t>(operand.mem.disp), operand.size, 0});
      }
      if (operand.type == X86_OP_REG && i == 0 && (operand.access & CS_AC_WRITE) != 0) written = operand.reg;
    }
    if (instruction.id == X86_INS_MOV && x86.op_count == 2 && x86.operands[1].type == X86_OP_REG && x86.operands[0].type == X86_OP_REG) {
      is_copy = copies_.contains(x86.operands[1].reg);
    }
    note_mask(instruction);
    if (written == X86_REG_INVALID) return;
    if (is_copy) {
      copies_.add(written);
    } else {
      copies_.remove(written);
    }
  }

  // `test [rdi+100], 4`, `and eax, 4`, `bt eax, 2`, `shr al, 2`.
  void note_mask(const cs_insn& instruction) {
    const cs_x86& x86 = instruction.detail->x86;
    if (accesses_.empty() || accesses_.back().bit_mask != 0 || x86.op_count != 2 || x86.operands[1].type != X86_OP_IMM) return;
    auto value = static_cast<std::uint64_t>(x86.operands[1].imm);
    switch (instruction.id) {
      case X86_INS_TEST:
      case X86_INS_AND:
        if (value != 0 && (value & (value - 1)) == 0 && value <= 0x80000000) accesses_.back().bit_mask = static_cast<std::uint32_t>(value);
        break;
      case X86_INS_SHR:
      case X86_INS_BT:
        if (value < 32) accesses_.back().bit_mask = std::uint32_t{1} << value;
        break;
      default: break;
    }
  }

  Memory& memory_;
  Disassembler& disassembler_ = Disassembler::of_this_thread();
  ArgumentCopies copies_;
  std::vector<ArgumentAccess> accesses_;
};

bool is_rip_relative(const cs_x86_op& operand) { return operand.type == X86_OP_MEM && operand.mem.base == X86_REG_RIP; }

Address rip_target(const cs_insn& instruction, const cs_x86_op& operand) {
  return Address{instruction.address + instruction.size + static_cast<std::uint64_t>(operand.mem.disp)};
}

}  // namespace

Result<std::vector<ArgumentAccess>> find_argument_accesses(Memory& memory, Address function) {
  return AccessScan(memory).run(function);
}

// Three shapes, each maybe after endbr64: `mov rax,[rip+variable]; ret`, `lea rax,[rip+structure]; mov rax,[rax+d]`,
// `mov rax,[rip+slot]; mov rax,[rax+d]`.
Result<GlobalLoad> find_global_load(Memory& memory, Address function) {
  Disassembler& disassembler = Disassembler::of_this_thread();
  Address at = function;
  GlobalLoad load;
  bool found = false;
  bool is_address = false;  // lea: the register holds the structure's address, not a value read from it
  for (int count = 0; count < 8; ++count) {
    ASYNCSPY_TRY(instruction, disassembler.decode(memory, at));
    at = at + instruction->size;
    const cs_x86& x86 = instruction->detail->x86;
    if (instruction->id == X86_INS_RET) break;
    bool is_load = instruction->id == X86_INS_MOV || instruction->id == X86_INS_LEA;
    if (!is_load || x86.op_count != 2) continue;
    const cs_x86_op& source = x86.operands[1];
    if (!found && is_rip_relative(source)) {
      load.address = rip_target(*instruction, source);
      load.through_table = false;
      found = true;
      is_address = instruction->id == X86_INS_LEA;
    } else if (found && source.type == X86_OP_MEM && source.mem.base == X86_REG_RAX) {
      load.displacement = static_cast<std::int32_t>(source.mem.disp);
      load.through_table = !is_address;
      return load;
    }
  }
  if (!found) return fail(ErrorKind::kCorrupt, "the function loads no global", {}, function);
  return load;
}

}  // namespace asyncspy
