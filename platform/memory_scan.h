// Looks for a word in the writable memory of a process: the last resort where no symbol leads to a structure that begins
// with a known mark.
#pragma once

#include <cstdint>
#include <vector>

#include "memory.h"
#include "process_facts.h"

namespace asyncspy {

// Places at which the eight bytes `word` stand, 8-byte aligned. Data of files come first, then what follows them (bss), then
// other private memory; at most `most_bytes` are read and `most_places` returned.
[[nodiscard]] std::vector<Address> find_word(Memory& memory, const std::vector<Mapping>& mappings, std::uint64_t word,
                                             std::uint64_t most_bytes, std::size_t most_places);

}  // namespace asyncspy
