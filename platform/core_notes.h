// What the notes of a core file say: threads, process, mapped files. The layouts are the kernel's (fs/binfmt_elf.c);
// gdb's gcore writes the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core_file.h"
#include "process_facts.h"

namespace asyncspy {

struct CoreThread {
  ThreadFacts facts;       // with registers
  int signal = 0;          // that ended the process, or 0
};

// One entry of NT_FILE.
struct CoreMappedFile {
  Address start;
  Address end;
  std::uint64_t file_offset = 0;
  std::string path;
};

struct CoreFacts {
  std::vector<CoreThread> threads;  // as stored: the one that got the signal first
  std::vector<CoreMappedFile> files;
  int pid = 0;
  std::uint32_t user_id = 0;
  std::string name;
  std::string arguments;  // joined by spaces and cut to 80 bytes
  std::string auxiliary_vector;
};

[[nodiscard]] CoreFacts parse_core_notes(const std::vector<CoreNote>& notes);

// Largest number of arguments' bytes that NT_PRPSINFO has room for: such a command line was probably cut.
inline constexpr std::size_t kArgumentBytes = 79;

// The value of one entry of an auxiliary vector, or 0.
[[nodiscard]] std::uint64_t find_auxiliary(std::string_view vector, std::uint64_t type);

}  // namespace asyncspy
