// The state of one walk over a process: what to read with, and what was read of types, code and names so far.
#pragma once

#include "code.h"
#include "names.h"
#include "object_reader.h"
#include "text.h"
#include "type.h"

namespace asyncspy {

// Where the handles of one class keep their state (asyncio.Handle and what is derived from it).
struct HandleSlots {
  Pointer cancelled;
  Pointer when;
  Pointer callback;
  Pointer arguments;
};

struct Inspection {
  ObjectReader reader;
  TypeTable types;
  CodeTable codes;
  NameTable names;
  AddressMap<std::uint32_t> text_names;  // str object -> index into names
  AddressMap<HandleSlots> handle_slots{};  // by class

  [[nodiscard]] const PythonLayout& layout() const { return reader.layout; }
};

// The index into names of the text in a str object, read once; kNoFunction when it can not be read.
[[nodiscard]] inline std::uint32_t find_name_of_text(Inspection& inspection, Address text) {
  if (const std::uint32_t* known = inspection.text_names.find(text)) return *known;
  auto name = read_text(inspection.reader, text);
  const std::uint32_t index = name ? inspection.names.index_of(*name) : kNoFunction;
  inspection.text_names.add(text, index);
  return index;
}

}  // namespace asyncspy
