// Finds the interpreter among the ELF files that are mapped into a process.
//
// Runs at every look at a process, so it opens few files: the executable, libpython, _asyncio. Only when these hold no
// runtime is the rest looked through, for programs that embed Python under a name of their own.
#pragma once

#include <string>
#include <vector>

#include "memory.h"
#include "process_facts.h"

namespace asyncspy {

struct ImageSearch {
  int pid = 0;
  std::string executable;  // as shown in maps
};

// Images in which something of interest was found; those with a runtime first.
[[nodiscard]] std::vector<LoadedImage> find_loaded_images(const ImageSearch& search,
                                                          const std::vector<Mapping>& mappings, Memory& memory);

}  // namespace asyncspy
