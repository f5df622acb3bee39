// Writes memory and facts of a process as an ordinary ELF core file, front to back, so that it can be compressed on its
// way. gdb opens it; what a core has no place for goes into one note of our own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bulk_memory.h"
#include "process_facts.h"
#include "zstd_stream.h"

namespace asyncspy {

struct CoreContent {
  const ProcessFacts& process;
  const std::vector<ThreadFacts>& threads;
  std::string_view note_owner;
  std::uint32_t note_type = 0;
  std::string_view note;
  std::vector<PageRange> pages;  // in address order, all of them readable in `memory`
  Memory& memory;
};

// False when `out` takes no more.
[[nodiscard]] Result<bool> write_core(const CoreContent& content, const WriteBytes& out);

}  // namespace asyncspy
