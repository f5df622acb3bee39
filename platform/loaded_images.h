// Finds the interpreter among the ELF files that are mapped into a process.
//
// Runs at every look at a process, so it opens few files: the executable, libpython, _asyncio. Only when these hold no
// runtime is the rest looked through, for programs that embed Python under a name of their own. Where no file has the
// symbol, the process's data are searched for what _PyRuntime begins with from 3.13 on: here and not in the analysis,
// which would make all the memory that is looked through part of the snapshot.
#pragma once

#include <string>
#include <vector>

#include "mapped_files.h"
#include "memory.h"
#include "process_facts.h"

namespace asyncspy {

// Images in which something of interest was found; those with a runtime first. `executable` as shown in maps. A place that
// was found by its content is an image with nothing but a runtime: it may be a chance.
[[nodiscard]] std::vector<LoadedImage> find_loaded_images(const std::string& executable,
                                                          const std::vector<Mapping>& mappings, MappedFiles& files,
                                                          Memory& memory);

}  // namespace asyncspy
