// A short text for any object of the target, much like repr(), made of its memory alone: no code of the target is run, so
// that a class's own __repr__ does not count.
//
// Whatever the object is like, the text is short and soon made: characters, items, depth and the number of objects looked at
// are bounded, and a container inside of itself is cut as Python does. What can not be read is written as <unreadable>, never as
// something else. Values of secrets are written as <masked> (secrets.h), unless the options say otherwise.
#pragma once

#include <string>
#include <string_view>

#include "object_form.h"

namespace asyncspy {

struct RepresentOptions {
  bool mask = true;
  std::size_t text_characters = 100;  // of one string
  std::size_t characters = 300;       // of the whole: nothing more is begun after so many
  std::size_t items = 8;              // of one container
  int depth = 3;                      // containers within containers
  int objects = 100;
};

class Representer {
 public:
  Representer(const ObjectReader& reader, TypeTable& types, RepresentOptions options = {})
      : reader_(reader), types_(types), options_(options) {}

  // Never fails. `name` is the variable, key or attribute that refers to the object, or empty.
  [[nodiscard]] std::string represent(Address object, std::string_view name = {});

  // An exception as tracebacks end: "ValueError: boom"; anything else as represent() has it.
  [[nodiscard]] std::string represent_exception(Address object);

 private:
  ObjectReader reader_;
  TypeTable& types_;
  RepresentOptions options_;
  FormTable forms_;
};

}  // namespace asyncspy
