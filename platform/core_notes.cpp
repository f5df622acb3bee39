#include "core_notes.h"

#include <elf.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "memory.h"
#include "thread_registers.h"

namespace asyncspy {
namespace {

static_assert(sizeof(elf_gregset_t) == sizeof(user_regs_struct));

template <class T>
std::optional<T> read_struct(std::string_view content, std::size_t at = 0) {
  if (content.size() < sizeof(T) || at > content.size() - sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, content.data() + at, sizeof(T));
  return value;
}

std::uint64_t to_ns(const timeval& time) {
  if (time.tv_sec < 0 || time.tv_usec < 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_usec) * 1000U;
}

// Up to the first NUL, without trailing spaces.
std::string read_text(const char* text, std::size_t size) {
  std::string_view found(text, ::strnlen(text, size));
  while (found.ends_with(' ')) found.remove_suffix(1);
  return std::string(found);
}

void add_thread(std::string_view content, CoreFacts& facts) {
  const auto status = read_struct<elf_prstatus>(content);
  if (!status) return;
  user_regs_struct registers{};
  std::memcpy(&registers, &status->pr_reg, sizeof(registers));
  CoreThread thread;
  thread.facts.tid = status->pr_pid;
  thread.facts.namespace_tid = status->pr_pid;
  thread.facts.cpu_time_ns = to_ns(*reinterpret_cast<const timeval*>(&status->pr_utime)) +
                             to_ns(*reinterpret_cast<const timeval*>(&status->pr_stime));
  thread.facts.registers = copy_registers(registers);
  thread.facts.in_user_mode = is_in_user_mode(registers);
  thread.facts.system_call = find_interrupted_call(registers);
  thread.signal = status->pr_cursig;
  facts.threads.push_back(std::move(thread));
}

// Of the first thread of a process the kernel writes the time of all, those included that have ended.
void correct_process_time(CoreFacts& facts) {
  std::uint64_t others = 0;
  CoreThread* leader = nullptr;
  for (CoreThread& thread : facts.threads) {
    if (thread.facts.tid == facts.pid) {
      leader = &thread;
    } else {
      others += thread.facts.cpu_time_ns;
    }
  }
  if (leader != nullptr) leader->facts.cpu_time_ns -= std::min(others, leader->facts.cpu_time_ns);
}

// Number of entries, page size; per entry start, end, offset in pages; the names, each ended by a NUL.
void add_files(std::string_view content, CoreFacts& facts) {
  const auto head = read_struct<std::array<std::uint64_t, 2>>(content);
  if (!head) return;
  const auto [count, page_size] = *head;
  if (count > content.size() / 24 || page_size == 0 || page_size > (1U << 30)) return;
  const std::size_t names_at = 16 + count * 24;
  if (names_at > content.size()) return;
  std::string_view names = content.substr(names_at);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto entry = read_struct<std::array<std::uint64_t, 3>>(content, 16 + i * 24);
    const std::size_t end = names.find('\0');
    if (!entry || end == std::string_view::npos) return;
    const auto [start, stop, pages] = *entry;
    if (start < stop) facts.files.push_back({Address{start}, Address{stop}, pages * page_size, std::string(names.substr(0, end))});
    names.remove_prefix(end + 1);
  }
}

}  // namespace

CoreFacts parse_core_notes(const std::vector<CoreNote>& notes) {
  CoreFacts facts;
  for (const CoreNote& note : notes) {
    if (note.owner != "CORE") continue;
    if (note.type == NT_PRSTATUS) add_thread(note.content, facts);
    if (note.type == NT_FILE && facts.files.empty()) add_files(note.content, facts);
    if (note.type == NT_AUXV && facts.auxiliary_vector.empty()) facts.auxiliary_vector = note.content;
    if (note.type != NT_PRPSINFO) continue;
    if (const auto info = read_struct<elf_prpsinfo>(note.content)) {
      facts.pid = info->pr_pid;
      facts.user_id = info->pr_uid;
      facts.name = read_text(info->pr_fname, sizeof(info->pr_fname));
      facts.arguments = read_text(info->pr_psargs, sizeof(info->pr_psargs));
    }
  }
  if (facts.pid == 0 && !facts.threads.empty()) facts.pid = facts.threads.front().facts.tid;
  correct_process_time(facts);
  return facts;
}

std::uint64_t find_auxiliary(std::string_view vector, std::uint64_t type) {
  for (std::size_t at = 0; at + sizeof(Elf64_auxv_t) <= vector.size(); at += sizeof(Elf64_auxv_t)) {
    const auto entry = read_struct<Elf64_auxv_t>(vector, at);
    if (!entry || entry->a_type == AT_NULL) return 0;
    if (entry->a_type == type) return entry->a_un.a_val;
  }
  return 0;
}

}  // namespace asyncspy
