#include "core_writer.h"

#include <elf.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace asyncspy {
namespace {

constexpr std::uint64_t kPagesAtOnce = 256;
constexpr std::uint16_t kUserCode = 0x33;   // segment selectors of 64-bit programs: by these gdb knows that it is one
constexpr std::uint16_t kUserStack = 0x2B;

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

void add_note(std::string& notes, std::string_view owner, std::uint32_t type, std::string_view content) {
  const auto pad = [&notes] { notes.resize((notes.size() + 3) / 4 * 4); };
  const Elf64_Nhdr header{static_cast<Elf64_Word>(owner.size() + 1), static_cast<Elf64_Word>(content.size()), type};
  notes += bytes_of(header);
  notes += owner;
  notes += '\0';
  pad();
  notes += content;
  pad();
}

user_regs_struct restore_registers(const ThreadFacts& thread) {
  user_regs_struct all{};
  all.orig_rax = ~0ULL;
  all.cs = kUserCode;
  all.ss = kUserStack;
  if (thread.registers) {
    const Registers& few = *thread.registers;
    all.rip = few.instruction_pointer;
    all.rsp = few.stack_pointer;
    all.rbp = few.frame_pointer;
    all.fs_base = few.thread_base;
    all.rax = few.rax;
    all.rbx = few.rbx;
    all.r12 = few.r12;
    all.r13 = few.r13;
    all.r14 = few.r14;
    all.r15 = few.r15;
  }
  if (thread.system_call) {
    const auto& arguments = thread.system_call->arguments;
    all.orig_rax = static_cast<unsigned long long>(thread.system_call->number);
    all.rdi = arguments[0];
    all.rsi = arguments[1];
    all.rdx = arguments[2];
    all.r10 = arguments[3];
    all.r8 = arguments[4];
    all.r9 = arguments[5];
  }
  return all;
}

void add_threads(std::string& notes, const std::vector<ThreadFacts>& threads) {
  for (const ThreadFacts& thread : threads) {
    elf_prstatus status{};
    status.pr_pid = thread.tid;
    const user_regs_struct registers = restore_registers(thread);
    static_assert(sizeof(status.pr_reg) == sizeof(registers));
    std::memcpy(&status.pr_reg, &registers, sizeof(registers));
    add_note(notes, "CORE", NT_PRSTATUS, bytes_of(status));
  }
}

void add_process(std::string& notes, const ProcessFacts& process) {
  elf_prpsinfo info{};
  info.pr_pid = process.pid;
  info.pr_uid = process.user_id;
  process.name.copy(info.pr_fname, sizeof(info.pr_fname) - 1);
  std::string arguments;
  for (const std::string& argument : process.command_line) arguments += (arguments.empty() ? "" : " ") + argument;
  arguments.copy(info.pr_psargs, sizeof(info.pr_psargs) - 1);
  add_note(notes, "CORE", NT_PRPSINFO, bytes_of(info));
  if (!process.auxiliary_vector.empty()) add_note(notes, "CORE", NT_AUXV, process.auxiliary_vector);
}

void add_files(std::string& notes, const std::vector<Mapping>& mappings) {
  std::string entries;
  std::string names;
  std::uint64_t count = 0;
  for (const Mapping& mapping : mappings) {
    if (mapping.inode == 0 || !mapping.path.starts_with('/')) continue;
    entries += bytes_of(std::array{mapping.start.value(), mapping.end.value(), mapping.file_offset / kPageSize});
    names += mapping.path;
    if (mapping.deleted) names += " (deleted)";
    names += '\0';
    ++count;
  }
  const std::string head(bytes_of(std::array{count, kPageSize}));
  add_note(notes, "CORE", NT_FILE, head + entries + names);
}

// One range for each mapping that a range of pages lies in, with its rights.
std::vector<Elf64_Phdr> describe_pages(const std::vector<PageRange>& pages, const std::vector<Mapping>& mappings) {
  std::vector<Elf64_Phdr> programs;
  for (const PageRange& range : pages) {
    std::uint64_t at = range.start.value();
    const std::uint64_t end = at + range.pages * kPageSize;
    while (at < end) {
      const auto mapping = std::upper_bound(mappings.begin(), mappings.end(), at, [](std::uint64_t address, const Mapping& one) {
        return address < one.end.value();
      });
      Elf64_Phdr program{};
      program.p_type = PT_LOAD;
      program.p_flags = PF_R;
      program.p_vaddr = at;
      std::uint64_t stop = end;
      if (mapping != mappings.end() && mapping->start.value() <= at) {
        program.p_flags |= (mapping->writable ? PF_W : 0U) | (mapping->executable ? PF_X : 0U);
        stop = std::min(end, mapping->end.value());
      } else if (mapping != mappings.end()) {
        stop = std::min(end, mapping->start.value());
      }
      program.p_filesz = stop - at;
      program.p_memsz = stop - at;
      program.p_align = kPageSize;
      programs.push_back(program);
      at = stop;
    }
  }
  return programs;
}

// Headers and notes, up to where the pages begin.
std::string build_head(std::vector<Elf64_Phdr> programs, const std::string& notes) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_CORE;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  const std::size_t count = programs.size() + 1;
  std::uint64_t at = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr);
  Elf64_Shdr first{};
  const bool has_too_many = count >= PN_XNUM;
  header.e_phnum = static_cast<Elf64_Half>(has_too_many ? PN_XNUM : count);
  if (has_too_many) {  // the number goes into a section header, the only one
    header.e_shoff = at;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 1;
    first.sh_size = 1;
    first.sh_info = static_cast<Elf64_Word>(count);
    at += sizeof(Elf64_Shdr);
  }
  Elf64_Phdr note{};
  note.p_type = PT_NOTE;
  note.p_offset = at;
  note.p_filesz = notes.size();
  note.p_align = 4;
  at = (at + notes.size() + kPageSize - 1) / kPageSize * kPageSize;
  const std::uint64_t size = at;
  for (Elf64_Phdr& program : programs) {
    program.p_offset = at;
    at += program.p_filesz;
  }
  std::string head(bytes_of(header));
  head += bytes_of(note);
  for (const Elf64_Phdr& program : programs) head += bytes_of(program);
  if (has_too_many) head += bytes_of(first);
  head += notes;
  head.resize(size);
  return head;
}

}  // namespace

Result<bool> write_core(const CoreContent& content, const WriteBytes& out) {
  // The sizes of notes are 32-bit numbers.
  if (content.note.size() > std::numeric_limits<std::int32_t>::max()) {
    return fail(ErrorKind::kInternal, "recording: there are too many facts for one note");
  }
  std::string notes;
  add_threads(notes, content.threads);
  add_process(notes, content.process);
  add_files(notes, content.process.mappings);
  add_note(notes, content.note_owner, content.note_type, content.note);
  if (!out(build_head(describe_pages(content.pages, content.process.mappings), notes))) return false;
  std::string block;
  for (const PageRange& range : content.pages) {
    for (std::uint64_t page = 0; page < range.pages; page += kPagesAtOnce) {
      block.resize(std::min(kPagesAtOnce, range.pages - page) * kPageSize);
      auto done = content.memory.read(range.start + page * kPageSize, std::as_writable_bytes(std::span(block)));
      if (!done) return std::unexpected(std::move(done.error()));
      if (!out(block)) return false;
    }
  }
  return true;
}

}  // namespace asyncspy
