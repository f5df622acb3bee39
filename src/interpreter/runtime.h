// Finds the interpreter in a process and settles by which layout it is read.
//
// Nothing is believed because a version string says so: a layout counts once the target's own data agree with it
// (sys.hexversion, sys.modules reached in two ways, the names of types). What the target exports about itself
// (_Py_DebugOffsets, .AsyncioDebug) wins over the version file, after checks.
#pragma once

#include <string>
#include <vector>

#include "choose_layout.h"
#include "layout.h"
#include "memory.h"
#include "object_reader.h"
#include "process_facts.h"

namespace asyncspy {

struct Runtime {
  Address address;  // _PyRuntime
  PythonLayout layout;
  std::uint32_t hex_version = 0;
  std::string version;  // "3.11.7", "3.14.0rc2"
  std::string library;  // path of the image
  std::vector<std::string> warnings;
  std::vector<FieldOrigin> origins;  // see LayoutChoice
  std::vector<SelfCheck> checks;
  std::optional<StringHash> string_hash;  // how its dictionaries place strings, where that is known

  // Reads its objects. Must not outlive this.
  [[nodiscard]] ObjectReader reader(Memory& memory) const { return {memory, layout, string_hash}; }
};

// Fails with kNotPython when no image holds an interpreter or it is not initialised, with kUnsupported when the
// interpreter is known but can not be read (too old, too new, free-threaded, PyPy).
[[nodiscard]] Result<Runtime> find_runtime(Memory& memory, const std::vector<LoadedImage>& images);

struct Interpreter {
  Address address;
  std::int64_t id = 0;
  Address modules;  // sys.modules
  Address gil;      // where the GIL's state lies, or null
  Address gil_holder;  // thread state that holds (or held last) the GIL
  bool gil_locked = false;
};

// All interpreters of the process, the main one first.
[[nodiscard]] Result<std::vector<Interpreter>> read_interpreters(const ObjectReader& reader, const Runtime& runtime);

// "3.11.7" from PY_VERSION_HEX (Include/patchlevel.h).
[[nodiscard]] std::string format_version(std::uint32_t hex_version);

}  // namespace asyncspy
