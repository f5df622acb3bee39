// The offsets of a layout as the debug information of the target's own files has them: the last source, for a release whose
// version file does not fit. Behaviours (the enums of a layout) are not in it and stay those of the version file.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "layout.h"
#include "process_facts.h"
#include "result.h"

namespace asyncspy {

struct DebugLayout {
  struct Answer {
    bool known_struct = false;
    std::int32_t offset = kAbsentOffset;  // of the member, or the size that was asked for
    std::uint32_t mask = 0;               // of a truth value
  };
  std::string path;                           // of the file with the interpreter
  std::vector<std::vector<Answer>> members;  // beside kCpythonMembers, for each of its candidates
};

// Reads the files of the images, which takes tenths of a second, once for the same images. Fails when the interpreter's
// own file has no debug information here.
[[nodiscard]] Result<DebugLayout> read_debug_layout(const std::vector<LoadedImage>& images, Address runtime);

struct AdoptedMembers {
  std::vector<bool> answered;       // in the order of for_each_field: whether debug information tells the member
  std::vector<std::string> changed;  // "code.inline_bytecode 200 -> 192"
};

// Replaces the members of `layout` that are told and not to be kept. What the release lacks becomes absent.
[[nodiscard]] AdoptedMembers adopt_debug_layout(const DebugLayout& debug, const std::function<bool(std::string_view)>& is_kept,
                                                PythonLayout& layout);

}  // namespace asyncspy
