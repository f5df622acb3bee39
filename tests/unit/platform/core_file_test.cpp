#include "core_file.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "bytes_memory.h"
#include "catch.h"
#include "core_notes.h"
#include "core_target.h"
#include "core_writer.h"

// Cores made byte by byte, or by the writer, and read again.

namespace asyncspy {
namespace {

constexpr std::uint64_t kText = 0x400000;
constexpr std::uint64_t kData = 0x600000;

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    std::string name = (std::filesystem::temp_directory_path() / "asyncspy-core-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    REQUIRE(file >= 0);
    REQUIRE(::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    ::close(file);
    path_ = name;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

Elf64_Phdr load(std::uint64_t address, std::uint64_t offset, std::uint64_t stored, std::uint64_t size) {
  Elf64_Phdr program{};
  program.p_type = PT_LOAD;
  program.p_flags = PF_R | PF_W;
  program.p_vaddr = address;
  program.p_offset = offset;
  program.p_filesz = stored;
  program.p_memsz = size;
  return program;
}

std::string build_core(const std::vector<Elf64_Phdr>& programs, const std::string& rest = {}) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_CORE;
  header.e_machine = EM_X86_64;
  header.e_phoff = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<Elf64_Half>(programs.size());
  std::string core = bytes_of(header);
  for (const Elf64_Phdr& program : programs) core += bytes_of(program);
  return core + rest;
}

char byte_at(const CoreFile& core, std::uint64_t address) {
  std::array<std::byte, 1> byte{};
  return core.read_stored(Address{address}, byte) ? static_cast<char>(byte[0]) : '\0';
}

ProcessFacts some_process() {
  ProcessFacts process;
  process.pid = 42;
  process.user_id = 1000;
  process.name = "python";
  process.command_line = {"python", "service.py"};
  Mapping text;
  text.start = Address{kText};
  text.end = Address{kText + 4 * kPageSize};
  text.readable = text.executable = true;
  text.inode = 7;
  text.path = "/no/such/library";
  Mapping data;
  data.start = Address{kData};
  data.end = Address{kData + 4 * kPageSize};
  data.readable = data.writable = true;
  process.mappings = {text, data};
  return process;
}

std::vector<ThreadFacts> some_threads() {
  ThreadFacts sleeping;
  sleeping.tid = 42;
  sleeping.registers = Registers{.instruction_pointer = kText + 1, .stack_pointer = kData + 64, .thread_base = 0x7000};
  sleeping.registers->rax = static_cast<std::uint64_t>(-512);
  sleeping.system_call = SystemCall{232, {4, 5, 6, 7, 8, 9}};
  ThreadFacts computing;
  computing.tid = 43;
  computing.registers = Registers{.instruction_pointer = kText + 2, .stack_pointer = kData + 128, .thread_base = 0x8000};
  computing.in_user_mode = true;
  return {sleeping, computing};
}

std::string write(const std::vector<PageRange>& pages, Memory& memory) {
  const ProcessFacts process = some_process();
  const std::vector<ThreadFacts> threads = some_threads();
  std::string text;
  const auto done = write_core({process, threads, "OWNER", 3, "facts", pages, memory}, [&](std::string_view bytes) {
    text += bytes;
    return true;
  });
  REQUIRE(done);
  REQUIRE(*done);
  return text;
}

}  // namespace

TEST_CASE("bytes of a core are found at their addresses, and no others") {
  struct Row {
    const char* name;
    std::uint64_t address;
    char found;
  };
  const std::uint64_t begin = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
  const TemporaryFile file(build_core({load(0x5000, begin + 3, 3, 3), load(0x1000, begin, 3, 8), load(0x5002, begin, 3, 3)}, "abcdef"));
  const auto core = CoreFile::open(file.path());
  REQUIRE(core);
  const Row row = GENERATE(Row{"first", 0x1000, 'a'}, Row{"last stored", 0x1002, 'c'}, Row{"a hole", 0x1003, '\0'},
                           Row{"another segment", 0x5000, 'd'}, Row{"the segment that begins first wins", 0x5002, 'f'},
                           Row{"below all", 0xFFF, '\0'}, Row{"between", 0x1008, '\0'}, Row{"above all", 0x5003, '\0'},
                           Row{"top of the address space", ~0ULL, '\0'});
  INFO(row.name);
  CHECK(byte_at(*core, row.address) == row.found);
  std::array<std::byte, 4> across{};
  CHECK_FALSE(core->read_stored(Address{0x1000}, across));
}

TEST_CASE("a core that is cut short keeps what is there and says how much is missing") {
  const std::uint64_t begin = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  const TemporaryFile file(build_core({load(0x1000, begin, 10, 10)}, "abcd"));
  const auto core = CoreFile::open(file.path());
  REQUIRE(core);
  CHECK(core->missing_bytes() == 6);
  CHECK(byte_at(*core, 0x1003) == 'd');
  CHECK(byte_at(*core, 0x1004) == '\0');
}

TEST_CASE("segments of absurd sizes and places are bounded by the file") {
  const std::uint64_t huge = std::uint64_t{1} << 62;
  const TemporaryFile file(build_core({load(0x1000, 64, huge, huge), load(~0ULL - 4095, 64, huge, huge), load(0x2000, huge, 10, 10)}));
  const auto core = CoreFile::open(file.path());
  REQUIRE(core);
  REQUIRE(core->segments().size() == 1);
  CHECK(core->segments()[0].stored <= std::filesystem::file_size(file.path()));
  CHECK(core->missing_bytes() > 0);
}

TEST_CASE("what is no core of this machine is refused with the reason") {
  struct Row {
    const char* name;
    std::string content;
    ErrorKind kind;
  };
  std::string other_class = build_core({});
  other_class[EI_CLASS] = ELFCLASS32;
  std::string program = build_core({});
  program[16] = ET_EXEC;
  std::string many = build_core({});
  many[offsetof(Elf64_Ehdr, e_phnum)] = '\xFF';
  many[offsetof(Elf64_Ehdr, e_phnum) + 1] = '\xFF';
  std::string no_headers = build_core({load(0, 0, 0, 1)});
  no_headers.resize(70);
  const std::vector<Row> rows = {{"empty", "", ErrorKind::kNotPython},
                                 {"text", "#!/bin/sh\n", ErrorKind::kNotPython},
                                 {"half a header", build_core({}).substr(0, 40), ErrorKind::kNotPython},
                                 {"32 bits", other_class, ErrorKind::kUnsupported},
                                 {"a program", program, ErrorKind::kNotPython},
                                 {"a count in a section that is not there", many, ErrorKind::kNotPython},
                                 {"headers behind the end", no_headers, ErrorKind::kNotPython},
                                 {"a zstd frame that is none", "\x28\xB5\x2F\xFDxxxxxxxxxxxx", ErrorKind::kCorrupt}};
  for (const Row& row : rows) {
    INFO(row.name);
    const TemporaryFile file(row.content);
    const auto core = CoreFile::open(file.path());
    REQUIRE_FALSE(core);
    CHECK(core.error().kind == row.kind);
    CHECK(core.error().what.starts_with(file.path() + ": "));
    CHECK_FALSE(core.error().hint.empty());
  }
  CHECK(CoreFile::open("/no/such/file").error().kind == ErrorKind::kUsage);
  CHECK(CoreFile::open("/tmp").error().kind == ErrorKind::kNotPython);
}

TEST_CASE("what the writer wrote is read again: pages, threads, process, files and the note") {
  BytesMemory memory;
  std::array<std::byte, 2 * kPageSize> data{};
  data[0] = std::byte{'x'};
  data[kPageSize] = std::byte{'y'};
  memory.put_bytes(Address{kData}, data);
  std::array<std::byte, kPageSize> code{};
  code[0] = std::byte{'z'};
  memory.put_bytes(Address{kText}, code);
  const TemporaryFile file(write({{Address{kText}, 1}, {Address{kData}, 2}}, memory));
  auto core = CoreFile::open(file.path());
  REQUIRE(core);
  CHECK(core->missing_bytes() == 0);
  CHECK(byte_at(*core, kText) == 'z');
  CHECK(byte_at(*core, kData) == 'x');
  CHECK(byte_at(*core, kData + kPageSize) == 'y');
  CHECK(core->find_segment(Address{kText})->executable);
  CHECK_FALSE(core->find_segment(Address{kText})->writable);
  CHECK(core->find_segment(Address{kData})->writable);
  REQUIRE(core->notes().size() == 5);
  CHECK(core->notes().back().owner == "OWNER");
  CHECK(core->notes().back().type == 3);
  CHECK(core->notes().back().content == "facts");

  auto target = CoreTarget::open(std::move(*core), file.path(), "");
  REQUIRE(target);
  CHECK_FALSE((*target)->is_live());
  CHECK((*target)->monotonic_now() == 0);
  const auto process = (*target)->read_process();
  REQUIRE(process);
  CHECK(process->pid == 42);
  CHECK(process->user_id == 1000);
  CHECK(process->name == "python");
  CHECK(process->command_line == std::vector<std::string>{"python service.py"});
  REQUIRE(process->mappings.size() == 2);
  CHECK(process->mappings[0].path == "/no/such/library");
  const auto threads = (*target)->read_threads();
  REQUIRE(threads);
  REQUIRE(threads->size() == 2);
  CHECK((*threads)[0].tid == 42);
  REQUIRE((*threads)[0].system_call);
  CHECK((*threads)[0].system_call->number == 232);
  CHECK((*threads)[0].system_call->arguments[5] == 9);
  CHECK((*threads)[0].registers->thread_base == 0x7000);
  CHECK_FALSE((*threads)[0].in_user_mode);
  CHECK((*threads)[1].in_user_mode);
  CHECK_FALSE((*threads)[1].system_call);
}

TEST_CASE("more ranges than a program header can count are written and read again") {
  constexpr std::uint64_t kCount = 70'000;
  std::vector<PageRange> pages;
  for (std::uint64_t i = 0; i < kCount; ++i) pages.push_back({Address{0x10000000 + i * 2 * kPageSize}, 1});
  // Each page holds its own address.
  class Numbered final : public Memory {
   public:
    Result<void> read(Address from, std::span<std::byte> into) override {
      std::ranges::fill(into, std::byte{0});
      const std::uint64_t address = from.value();
      std::memcpy(into.data(), &address, sizeof(address));
      return {};
    }
  } memory;
  const TemporaryFile file(write(pages, memory));
  const auto core = CoreFile::open(file.path());
  REQUIRE(core);
  REQUIRE(core->segments().size() == kCount);
  for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{65'535}, kCount - 1}) {
    std::uint64_t found = 0;
    REQUIRE(core->read_stored(pages[i].start, std::as_writable_bytes(std::span(&found, 1))));
    CHECK(found == pages[i].start.value());
  }
}

TEST_CASE("notes that make no sense are passed over") {
  CHECK(parse_core_notes({{"CORE", NT_PRSTATUS, "short"}, {"CORE", NT_FILE, "x"}, {"CORE", NT_PRPSINFO, ""}}).threads.empty());
  // A million files in sixteen bytes.
  const std::array<std::uint64_t, 2> head = {1'000'000, 4096};
  CHECK(parse_core_notes({{"CORE", NT_FILE, bytes_of(head)}}).files.empty());
  // Names that end too early: the entries that have one count.
  const std::array<std::uint64_t, 8> two = {2, 4096, 0x1000, 0x2000, 3, 0x2000, 0x3000, 0};
  const auto files = parse_core_notes({{"CORE", NT_FILE, bytes_of(two) + std::string("/a\0/b", 5)}}).files;
  REQUIRE(files.size() == 1);
  CHECK(files[0].path == "/a");
  CHECK(files[0].file_offset == 3 * 4096);
  CHECK(find_auxiliary("garbage", 9) == 0);
}

TEST_CASE("the first thread is charged only with its own processor time") {
  elf_prstatus first{};
  first.pr_pid = 5;
  first.pr_utime.tv_sec = 10;
  elf_prstatus second{};
  second.pr_pid = 6;
  second.pr_stime.tv_sec = 3;
  elf_prpsinfo process{};
  process.pr_pid = 5;
  const CoreFacts facts = parse_core_notes(
      {{"CORE", NT_PRSTATUS, bytes_of(first)}, {"CORE", NT_PRPSINFO, bytes_of(process)}, {"CORE", NT_PRSTATUS, bytes_of(second)}});
  REQUIRE(facts.threads.size() == 2);
  CHECK(facts.threads[0].facts.cpu_time_ns == 7'000'000'000);
  CHECK(facts.threads[1].facts.cpu_time_ns == 3'000'000'000);
}

}  // namespace asyncspy
