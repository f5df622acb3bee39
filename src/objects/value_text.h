// The text of objects that hold no others: numbers, members of enumerations, and what is shown by its name.
#pragma once

#include <string>
#include <string_view>

#include "object_form.h"
#include "text.h"

namespace asyncspy {

inline constexpr std::int64_t kNameLength = 100;  // characters of a name that are shown

class ValueText {
 public:
  ValueText(const ObjectReader& reader, TypeTable& types, FormTable& forms) : reader_(reader), types_(types), forms_(forms) {}

  // Forms that are neither texts nor containers nor exceptions.
  [[nodiscard]] Result<std::string> text_of(Address object, const TypeForm& known);

  // A str object that is a name.
  [[nodiscard]] Result<std::string> name(Address object) const;

  // The beginning of a bytes object, one character for each.
  [[nodiscard]] Result<Characters> read_bytes(Address object, std::int64_t most) const;

 private:
  [[nodiscard]] Result<std::string> uuid(Address object, const TypeForm& known);
  [[nodiscard]] Result<std::string> member_of_enumeration(Address object, const TypeForm& known);
  [[nodiscard]] Result<std::string> module(Address object);
  [[nodiscard]] Result<std::string> method(Address object);
  [[nodiscard]] Result<std::string> built_in(Address object);
  // "<KIND name at 0x...>", the name behind a pointer of the object.
  [[nodiscard]] Result<std::string> named(std::string_view kind, Address object, Pointer name_at);

  const ObjectReader& reader_;
  TypeTable& types_;
  FormTable& forms_;
};

// "<WHAT at 0x7f...>"
[[nodiscard]] std::string text_at(std::string_view what, Address object);

[[nodiscard]] std::string to_utf8(std::u32string_view characters);

}  // namespace asyncspy
