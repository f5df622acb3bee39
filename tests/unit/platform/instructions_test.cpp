// Machine code that the assembler of this machine makes of what compilers write, and the getters of its own Python.
#include "instructions.h"

#include <cstring>

#include "catch.h"
#include "fake_memory.h"
#include "idle_python.h"
#include "live_target.h"
#include "recording_memory.h"
#include "runtime.h"
#include "self_checks.h"

asm(R"(
.intel_syntax noprefix
.pushsection .text
.macro begin name
  .globl asyncspy_code_\name
  asyncspy_code_\name:
.endm

begin plain
  endbr64
  mov rax, [rdi+104]
  test rax, rax
  je 1f
  add qword ptr [rax], 1
  ret
1: lea rax, [rip+asyncspy_code_plain]
  ret
begin copied
  push rbx
  mov rbx, rdi
  sub rsp, 16
  call asyncspy_code_plain
  mov rax, [rbx+48]
  add rsp, 16
  pop rbx
  ret
begin lost
  call asyncspy_code_plain
  mov rax, [rdi+48]
  ret
begin overwritten
  mov rdi, [rdi+16]
  mov rax, [rdi+24]
  ret
begin zeroed
  mov eax, [rdi+8]
  xor edi, edi
  mov rax, [rdi+32]
  ret
begin tail
  mov edx, [rdi+8]
  jmp asyncspy_code_plain
begin bit
  test byte ptr [rdi+100], 4
  setne al
  ret
begin bit_of_copy
  movzx eax, byte ptr [rdi+92]
  shr al, 3
  and eax, 1
  ret
begin whole
  movsxd rdi, dword ptr [rdi+92]
  ret
begin round
  jmp asyncspy_code_round
begin without_end
  .rept 1000
  mov rax, [rdi+8]
  .endr
begin variable
  endbr64
  mov rax, [rip+asyncspy_code_data]
  ret
begin structure
  lea rax, [rip+asyncspy_code_data]
  mov rax, [rax+632]
  ret
begin table
  mov rax, [rip+asyncspy_code_data]
  mov rax, [rax+40]
  ret
begin nothing
  xor eax, eax
  ret
.popsection
.pushsection .data
begin data
  .quad 0, 0
.popsection
.att_syntax prefix
)");

extern "C" {
extern const char asyncspy_code_plain[], asyncspy_code_copied[], asyncspy_code_lost[], asyncspy_code_overwritten[], asyncspy_code_zeroed[],
    asyncspy_code_tail[], asyncspy_code_bit[], asyncspy_code_bit_of_copy[], asyncspy_code_whole[], asyncspy_code_round[],
    asyncspy_code_without_end[], asyncspy_code_variable[], asyncspy_code_structure[], asyncspy_code_table[],
    asyncspy_code_nothing[], asyncspy_code_data[];
}

namespace asyncspy {
namespace {

// This program's own memory.
class OwnMemory final : public Memory {
 public:
  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
    std::memcpy(into.data(), reinterpret_cast<const void*>(from.value()), into.size());
    return {};
  }
};

Address at(const char* code) { return Address{reinterpret_cast<std::uint64_t>(code)}; }

std::vector<std::int32_t> offsets_in(const char* code) {
  OwnMemory memory;
  auto accesses = find_argument_accesses(memory, at(code));
  REQUIRE(accesses);
  std::vector<std::int32_t> offsets;
  for (const ArgumentAccess& access : *accesses) offsets.push_back(access.offset);
  return offsets;
}

ArgumentAccess last_in(const char* code) {
  OwnMemory memory;
  auto accesses = find_argument_accesses(memory, at(code));
  REQUIRE(accesses);
  REQUIRE_FALSE(accesses->empty());
  return accesses->back();
}

using Offsets = std::vector<std::int32_t>;

TEST_CASE("reads through the first argument are found, in copies of it and after tail calls") {
  CHECK(offsets_in(asyncspy_code_plain) == Offsets{104});
  CHECK(offsets_in(asyncspy_code_copied) == Offsets{48});
  CHECK(offsets_in(asyncspy_code_tail) == Offsets{8, 104});
}

TEST_CASE("a register that holds something else by now is not the argument") {
  CHECK(offsets_in(asyncspy_code_lost).empty());
  CHECK(offsets_in(asyncspy_code_overwritten) == Offsets{16});
  CHECK(offsets_in(asyncspy_code_zeroed) == Offsets{8});
}

TEST_CASE("the bit that is tested is told, and the size of what was read") {
  CHECK(last_in(asyncspy_code_bit).bit_mask == 4);
  CHECK(last_in(asyncspy_code_bit).size == 1);
  CHECK(last_in(asyncspy_code_bit_of_copy).bit_mask == 8);
  CHECK(last_in(asyncspy_code_whole).bit_mask == 0);
  CHECK(last_in(asyncspy_code_whole).size == 4);
}

TEST_CASE("code without an end and bytes that are no code end the search") {
  CHECK(offsets_in(asyncspy_code_round).empty());
  CHECK(offsets_in(asyncspy_code_without_end).size() == 256);
  FakeMemory memory;
  Address place = memory.allocate(64);
  memory.fill(place, 64, std::byte{0x06});  // not an instruction in 64-bit mode
  CHECK_FALSE(find_argument_accesses(memory, place));
  CHECK_FALSE(find_argument_accesses(memory, Address{0x1000}));
  CHECK_FALSE(find_global_load(memory, place));
}

TEST_CASE("an instruction at the end of what is mapped is read") {
  FakeMemory memory;
  Address end{0x50000};
  memory.fill(end - 8, 8, std::byte{0x90});
  const unsigned char code[] = {0x48, 0x8b, 0x47, 0x68, 0xc3};  // mov rax,[rdi+104]; ret
  memory.write_bytes(end - 5, std::as_bytes(std::span(code)));
  auto accesses = find_argument_accesses(memory, end - 5);
  REQUIRE(accesses);
  REQUIRE(accesses->size() == 1);
  CHECK(accesses->front().offset == 104);
}

TEST_CASE("the three ways to load a member of a global are told apart") {
  OwnMemory memory;
  auto variable = find_global_load(memory, at(asyncspy_code_variable));
  REQUIRE(variable);
  CHECK(variable->address == at(asyncspy_code_data));
  CHECK((variable->displacement == 0 && !variable->through_table));
  auto structure = find_global_load(memory, at(asyncspy_code_structure));
  REQUIRE(structure);
  CHECK(structure->address == at(asyncspy_code_data));
  CHECK((structure->displacement == 632 && !structure->through_table));
  auto table = find_global_load(memory, at(asyncspy_code_table));
  REQUIRE(table);
  CHECK(table->address == at(asyncspy_code_data));
  CHECK((table->displacement == 40 && table->through_table));
  CHECK_FALSE(find_global_load(memory, at(asyncspy_code_nothing)));
}

TEST_CASE("the getters of _asyncio of each Python here touch what its layout says") {
  for (const std::string& interpreter : find_interpreters()) {
    INFO(interpreter);
    IdlePython python(interpreter);
    auto target = LiveTarget::attach(python.pid());
    REQUIRE(target);
    auto process = (*target)->read_process();
    REQUIRE(process);
    RecordingMemory memory(&(*target)->memory());
    auto runtime = find_runtime(memory, process->images);
    REQUIRE(runtime);
    PythonLayout damaged = runtime->layout;
    damaged.task.coroutine = damaged.task.coroutine.offset + 8;
    damaged.future.loop = damaged.future.loop.offset + 8;
    ObjectReader reader{memory, damaged};
    auto scope = open_scope(reader, runtime->address, Address{});
    REQUIRE(scope);
    auto adopted = adopt_getters(*scope, damaged);
    REQUIRE(adopted);
    CHECK(adopted->size() == 2);
    CHECK(damaged.task.coroutine.offset == runtime->layout.task.coroutine.offset);
    CHECK(damaged.future.loop.offset == runtime->layout.future.loop.offset);
  }
}

}  // namespace
}  // namespace asyncspy
