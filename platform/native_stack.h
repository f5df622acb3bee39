// The stacks of machine code of stopped threads, from their registers and the copied tops of their stacks. Reads the files
// that are mapped; to be called when the target runs again.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mapped_files.h"
#include "memory.h"
#include "native_frame.h"
#include "native_image.h"
#include "process_facts.h"
#include "unwind_rules.h"

namespace asyncspy {

class NativeUnwinder {
 public:
  using Clock = std::chrono::steady_clock;

  // All of them must outlive this. `mappings` by address. Nothing is unwound after `until`.
  NativeUnwinder(const std::vector<Mapping>& mappings, MappedFiles& files, Memory& memory, Clock::time_point until)
      : mappings_(mappings), files_(files), memory_(memory), until_(until) {}

  // The stack of a thread with registers. Never fails: what stands in the way is the stack's `problem`.
  [[nodiscard]] NativeStack unwind(int tid, const Registers& registers);

 private:
  [[nodiscard]] const Mapping* find_mapping(std::uint64_t address) const;
  [[nodiscard]] const Mapping* find_first(const Mapping& mapping) const;
  // Null when there is no such file.
  [[nodiscard]] NativeImage* find_image(const Mapping& mapping);
  [[nodiscard]] std::unique_ptr<NativeImage> open_image(const Mapping& mapping);

  const std::vector<Mapping>& mappings_;
  MappedFiles& files_;
  Memory& memory_;
  Clock::time_point until_;
  std::map<std::pair<std::string, std::uint64_t>, std::unique_ptr<NativeImage>> images_;  // by path and first address
};

}  // namespace asyncspy
