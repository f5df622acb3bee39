// The state of one walk over a process: what to read with, and what was read of types, code and names so far.
#pragma once

#include "code.h"
#include "names.h"
#include "object_reader.h"
#include "type.h"

namespace asyncspy {

struct Inspection {
  ObjectReader reader;
  TypeTable types;
  CodeTable codes;
  NameTable names;
  std::unordered_map<Address, std::uint32_t> text_names;  // str object -> index into names

  [[nodiscard]] const PythonLayout& layout() const { return reader.layout; }
};

}  // namespace asyncspy
