#include "native_stack.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "catch.h"
#include "fake_memory.h"
#include "live_memory.h"
#include "process_maps.h"
#include "system_files.h"

// Found on this program's own stack, by its name and after the call that C++ makes of it.
namespace asyncspy_test {

struct Sight {
  asyncspy::Registers registers;
  std::vector<char> stack;
};

__attribute__((noinline)) int look(Sight& sight, int depth);

__attribute__((noinline)) int descend(Sight& sight, int depth) {
  volatile int result = look(sight, depth);  // keeps the call from being the last thing that it does
  return result + 1;
}

__attribute__((noinline)) int look(Sight& sight, int depth) {
  if (depth > 0) {
    volatile int result = descend(sight, depth - 1);
    return result + 1;
  }
  ucontext_t context{};
  if (::getcontext(&context) != 0) return -1;
  const auto at = [&](int number) { return static_cast<std::uint64_t>(context.uc_mcontext.gregs[number]); };
  sight.registers.instruction_pointer = at(REG_RIP);
  sight.registers.stack_pointer = at(REG_RSP);
  sight.registers.frame_pointer = at(REG_RBP);
  sight.registers.rbx = at(REG_RBX);
  sight.registers.r12 = at(REG_R12);
  sight.registers.r13 = at(REG_R13);
  sight.registers.r14 = at(REG_R14);
  sight.registers.r15 = at(REG_R15);
  // The stack changes when this returns: it is kept as it is now. By the kernel, as AddressSanitizer lets no function touch all of it.
  sight.stack.resize(8192);
  asyncspy::LiveMemory own(::getpid());
  const bool is_kept = own.read(asyncspy::Address{sight.registers.stack_pointer}, std::as_writable_bytes(std::span(sight.stack))).has_value();
  return is_kept ? 0 : -1;
}

}  // namespace asyncspy_test

namespace asyncspy {
namespace {

// This program, but for the part of the stack that was kept.
class KeptMemory final : public Memory {
 public:
  explicit KeptMemory(const asyncspy_test::Sight& sight) : sight_(sight), live_(::getpid()) {}
  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
    const std::uint64_t offset = from.value() - sight_.registers.stack_pointer;
    if (offset >= sight_.stack.size() || into.size() > sight_.stack.size() - offset) return live_.read(from, into);
    std::ranges::copy(std::as_bytes(std::span(sight_.stack)).subspan(offset, into.size()), into.begin());
    return {};
  }

 private:
  const asyncspy_test::Sight& sight_;
  LiveMemory live_;
};

struct Own {
  asyncspy_test::Sight sight;
  std::vector<Mapping> mappings;
  LiveMemory memory{::getpid()};
  LiveMappedFiles files{::getpid(), memory};

  Own() {
    REQUIRE(asyncspy_test::look(sight, 3) > 0);
    auto maps = read_process_maps(::getpid());
    REQUIRE(maps);
    mappings = std::move(*maps);
  }
};

NativeUnwinder::Clock::time_point soon() { return NativeUnwinder::Clock::now() + std::chrono::seconds(60); }

}  // namespace

TEST_CASE("a program's own stack is followed to its start, function by function") {
  Own own;
  KeptMemory memory(own.sight);
  NativeUnwinder unwinder(own.mappings, own.files, memory, soon());
  const NativeStack stack = unwinder.unwind(7, own.sight.registers);
  std::string seen;
  for (const NativeFrame& frame : stack.frames) seen += fmt::format("{} 0x{:x}-0x{:x}\n", frame.function, frame.stack_start.value(), frame.stack_end.value());
  INFO(seen << stack.problem);
  CHECK(stack.tid == 7);
  REQUIRE(stack.frames.size() > 8);
  const std::vector<std::string> expected = {"look", "descend", "look", "descend", "look", "descend", "look"};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(stack.frames[i].function == "asyncspy_test::" + expected[i] + "(asyncspy_test::Sight&, int)");
    CHECK(stack.frames[i].stack_end == stack.frames[i + 1].stack_start);
    CHECK(stack.frames[i].module == std::filesystem::canonical("/proc/self/exe"));
  }
  CHECK(stack.problem.empty());
  CHECK(stack.frames.back().function == "_start");
}

TEST_CASE("a stack without content, registers of nowhere and code without a file end the walk with the reason") {
  Own own;
  FakeMemory nothing;
  SECTION("the stack was not copied") {
    NativeUnwinder unwinder(own.mappings, own.files, nothing, soon());
    const NativeStack stack = unwinder.unwind(1, own.sight.registers);
    CHECK(stack.frames.size() == 1);
    CHECK(stack.problem.find("could not be read") != std::string::npos);
  }
  SECTION("it jumped to nowhere") {
    NativeUnwinder unwinder(own.mappings, own.files, own.memory, soon());
    Registers registers = own.sight.registers;
    registers.instruction_pointer = 0x10;
    const NativeStack stack = unwinder.unwind(1, registers);
    CHECK(stack.frames.size() == 1);
    CHECK(stack.problem == "0x10 is no code");
  }
  SECTION("code made at run time") {
    void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    const auto maps = read_process_maps(::getpid());
    REQUIRE(maps);
    NativeUnwinder unwinder(*maps, own.files, own.memory, soon());
    Registers registers = own.sight.registers;
    registers.instruction_pointer = reinterpret_cast<std::uint64_t>(page);
    CHECK(unwinder.unwind(1, registers).problem.find("made at run time") != std::string::npos);
    ::munmap(page, 4096);
  }
  SECTION("the time is over") {
    NativeUnwinder unwinder(own.mappings, own.files, own.memory, NativeUnwinder::Clock::now() - std::chrono::seconds(1));
    CHECK(unwinder.unwind(1, own.sight.registers).problem == "it took too long");
  }
}

TEST_CASE("garbage for a stack is followed without harm and not for ever") {
  Own own;
  std::vector<const Mapping*> code;
  for (const Mapping& mapping : own.mappings) {
    if (mapping.executable && mapping.inode != 0) code.push_back(&mapping);
  }
  REQUIRE_FALSE(code.empty());
  std::mt19937_64 random(20261120);
  const auto any_code = [&] {
    const Mapping& one = *code[random() % code.size()];
    return one.start.value() + random() % (one.end.value() - one.start.value());
  };
  constexpr std::uint64_t kStack = 0x7fff'0000'0000;
  NativeStack longest;
  for (int i = 0; i < 300; ++i) {
    FakeMemory memory;
    for (std::uint64_t word = 0; word < 2048; ++word) {
      const std::uint64_t kind = random() % 4;
      const std::uint64_t value = kind == 0 ? random() : kind == 1 ? kStack + random() % 16384 : any_code();
      memory.write(Address{kStack + word * 8}, value);
    }
    NativeUnwinder unwinder(own.mappings, own.files, memory, soon());
    Registers registers{any_code(), kStack + random() % 4096 / 8 * 8, kStack + random() % 16384, 0, random(), random(), random(), random(), random(), random()};
    NativeStack stack = unwinder.unwind(1, registers);
    CHECK(stack.frames.size() <= 2049);  // each step goes up by a word at least
    if (stack.frames.size() > longest.frames.size()) longest = std::move(stack);
  }
  CHECK(longest.frames.size() > 3);  // so that the walk was put to the test
}

TEST_CASE("damaged files are refused or answer something, without harm") {
  const std::filesystem::path library = "/lib/x86_64-linux-gnu/libcapstone.so.4";
  std::ifstream small(std::filesystem::exists(library) ? library : std::filesystem::path("/bin/true"), std::ios::binary);
  const std::vector<char> whole((std::istreambuf_iterator<char>(small)), std::istreambuf_iterator<char>());
  REQUIRE(whole.size() > 4096);
  std::mt19937_64 random(5);
  int opened = 0;
  for (int i = 0; i < 200; ++i) {
    std::vector<char> bytes = whole;
    for (std::uint64_t changes = 1 + random() % 40; changes > 0; --changes) {
      const std::uint64_t near = random() % 3;  // headers, section headers, anywhere
      const std::size_t range = near == 0 ? 1024 : bytes.size();
      const std::size_t at = near == 1 ? bytes.size() - 1 - random() % 2048 : random() % range;
      bytes[at] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    auto elf = ElfImage::open_bytes(std::move(bytes), "damaged");
    if (!elf) continue;
    Mapping mapping;
    mapping.start = Address{0x5000'0000};
    mapping.executable = true;
    mapping.file_offset = elf->segments().empty() ? 0 : elf->segments().back().file_offset / kPageSize * kPageSize;
    auto image = NativeImage::open(std::move(*elf), mapping, {});
    if (!image) continue;
    ++opened;
    FakeMemory memory;
    for (int place = 0; place < 50; ++place) {
      const std::uint64_t at = random() % whole.size();
      CHECK((*image)->find_function(at).size() < 600);
      (void)unwind_step((*image)->rules(), at, begin_unwinding({at, 0x1000, 0x2000, 0, 0, 0, 0, 0, 0, 0}), memory);
    }
  }
  CHECK(opened > 20);
}

TEST_CASE("symbols are shown as their programmer wrote them") {
  CHECK(make_readable("clock_nanosleep@@GLIBC_2.17") == "clock_nanosleep");
  CHECK(make_readable("list_sort.cold") == "list_sort");
  CHECK(make_readable("cfunction_call.lto_priv.0") == "cfunction_call");
  CHECK(make_readable("_ZNSt6vectorIiSaIiEE9push_backERKi") == "std::vector<int, std::allocator<int> >::push_back(int const&)");
  CHECK(make_readable("_Znonsense") == "_Znonsense");
  CHECK(make_readable(std::string(100'000, 'x')).size() < 600);
  CHECK(make_readable("_Z" + std::string(100'000, 'P')).size() < 600);
}

}  // namespace asyncspy
