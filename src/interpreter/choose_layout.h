// Settles by which layout an interpreter is read, and remembers where each fact came from.
//
// The order: what the target exports about itself (_Py_DebugOffsets, .AsyncioDebug), the version file, and, where the
// self-checks object to a member of futures or tasks, the machine code of the target's own getters. Where no version file
// fits, debug information of the target's files, if there is any. A layout to which a self-check still objects is not used.
#pragma once

#include <string>
#include <vector>

#include "process_facts.h"
#include "self_checks.h"

namespace asyncspy {

enum class FieldOrigin : std::uint8_t { kVersionFile, kDebugOffsets, kAsyncioDebug, kMachineCode, kDwarf };

struct LayoutChoice {
  PythonLayout layout;
  std::vector<FieldOrigin> origins;  // one for each field, in the order of for_each_field
  std::vector<SelfCheck> checks;
  std::vector<std::string> warnings;  // facts that are not from where they should be
  std::uint32_t hex_version = 0;
  std::optional<StringHash> string_hash;
};

// Tries `file` on the interpreter whose _PyRuntime is at `runtime`. Fails with kCorrupt, naming the first check that failed
// (memory may also be torn: the target runs), or with kNotPython when the interpreter is not running yet or any more.
[[nodiscard]] Result<LayoutChoice> try_layout(Memory& memory, Address runtime, const std::vector<LoadedImage>& images,
                                              const PythonLayout& file);

// The same with all members that debug information tells in place of those of `file`. Fails, too, when there is none or it says
// the same as the file.
[[nodiscard]] Result<LayoutChoice> try_layout_from_debug_info(Memory& memory, Address runtime, const std::vector<LoadedImage>& images,
                                                              const PythonLayout& file);

}  // namespace asyncspy
