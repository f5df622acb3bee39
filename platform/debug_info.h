// Where members of C structures lie, out of a program's own debug information (DWARF), by libdw.
//
// Knows the layout of data and nothing else: no line numbers, no variables. The files belong to the target and are not
// trusted: everything is bounded, and what makes no sense is as if it were not there.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "process_facts.h"
#include "result.h"

namespace asyncspy {

struct StructMember {
  std::uint64_t offset = 0;   // bytes from the start of the outermost struct; of a bit field: of the byte it begins in
  std::uint64_t size = 0;     // bytes; of a bit field: 0
  std::uint32_t bit_mask = 0;  // of a bit field, in the 32 bits at `offset`; else 0
};

struct StructAnswer {
  bool known_struct = false;           // the struct is described, whether or not it has the member
  std::optional<StructMember> member;  // for a struct as a whole: offset 0 and its size
};

struct StructAnswers {
  std::string path;  // the file that answered
  std::vector<StructAnswer> answers;
};

// Files in which the debug information of an image may be, best first: its own file, and separate ones by build id, below
// the target's root and here.
[[nodiscard]] std::vector<std::string> list_debug_files(const LoadedImage& image);

// Where a separate file with the debug information of the build may be, below the target's root and here.
[[nodiscard]] std::vector<std::string> list_debug_files_by_id(const std::string& build_id, const std::string& root);

// Answers questions "Struct" or "Struct.member.member", in the order asked, from the first of the image's files that has debug
// information. Members are looked for in nameless parts of a struct, too, and in what it begins with. Fails with
// kUnreadable when there is no such file, and with kTimeout when it takes longer than `most`.
[[nodiscard]] Result<StructAnswers> find_struct_members(const LoadedImage& image, std::span<const std::string_view> questions,
                                                        std::chrono::milliseconds most);

}  // namespace asyncspy
