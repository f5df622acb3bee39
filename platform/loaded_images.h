// Finds the interpreter among the ELF files that are mapped into a process.
//
// Runs at every look at a process, so it opens few files: the executable, libpython, _asyncio. Only when these hold no
// runtime is the rest looked through, for programs that embed Python under a name of their own.
#pragma once

#include <string>
#include <vector>

#include "mapped_files.h"
#include "memory.h"
#include "process_facts.h"

namespace asyncspy {

// Images in which something of interest was found; those with a runtime first. `executable` as shown in maps.
[[nodiscard]] std::vector<LoadedImage> find_loaded_images(const std::string& executable,
                                                          const std::vector<Mapping>& mappings, MappedFiles& files,
                                                          Memory& memory);

}  // namespace asyncspy
