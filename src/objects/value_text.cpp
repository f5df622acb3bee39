#include "value_text.h"

#include <fmt/format.h>

#include "containers.h"
#include "instance.h"
#include "number.h"
#include "quote.h"

namespace asyncspy {

std::string text_at(std::string_view what, Address object) { return fmt::format("<{} at 0x{:x}>", what, object.value()); }

std::string to_utf8(std::u32string_view characters) {
  std::string out;
  for (char32_t c : characters) append_utf8(out, c);
  return out;
}

Result<std::string> ValueText::text_of(Address object, const TypeForm& known) {
  switch (known.form) {
    case ObjectForm::kNone: return "None";
    case ObjectForm::kEllipsis: return "Ellipsis";
    case ObjectForm::kNotImplemented: return "NotImplemented";
    case ObjectForm::kInteger: return read_integer_text(reader_, object);
    case ObjectForm::kBool: {
      ASYNCSPY_TRY(value, read_integer(reader_, object));
      return value != 0 ? "True" : "False";
    }
    case ObjectForm::kFloat: {
      ASYNCSPY_TRY(value, read_float(reader_, object));
      return format_float(value);
    }
    case ObjectForm::kUuid: return uuid(object, known);
    case ObjectForm::kEnum: return member_of_enumeration(object, known);
    case ObjectForm::kClass: {
      ASYNCSPY_TRY(type, types_.find(reader_, object));
      return fmt::format("<class '{}'>", type->name);
    }
    case ObjectForm::kModule: return module(object);
    case ObjectForm::kMethod: return method(object);
    case ObjectForm::kBuiltin: return built_in(object);
    case ObjectForm::kFunction: return named("function", object, reader_.layout.function.function_qualified_name);
    case ObjectForm::kCoroutine: return named(known.type->name, object, reader_.layout.generator.qualified_name);
    case ObjectForm::kContextVariable: return named("ContextVar", object, reader_.layout.context.variable_name);
    default: return text_at(known.type->name, object);
  }
}

Result<std::string> ValueText::name(Address object) const {
  ASYNCSPY_TRY(characters, read_characters(reader_, object, kNameLength));
  return to_utf8(characters.first) + (characters.is_cut() ? "..." : "");
}

Result<Characters> ValueText::read_bytes(Address object, std::int64_t most) const {
  const SequenceLayout& layout = reader_.layout.sequence;
  ASYNCSPY_TRY(size, reader_.read(object, layout.bytes_size));
  if (size < 0) return fail(ErrorKind::kCorrupt, "length of a bytes object is not plausible", {}, object);
  std::vector<std::byte> raw(static_cast<std::size_t>(std::min(size, most)));
  auto done = reader_.memory.read(object + static_cast<std::uint64_t>(layout.bytes_data.offset), raw);
  if (!done) return std::unexpected(std::move(done.error()));
  Characters characters;
  characters.length = size;
  for (std::byte byte : raw) characters.first.push_back(static_cast<char32_t>(byte));
  return characters;
}

Result<std::string> ValueText::named(std::string_view kind, Address object, Pointer name_at) {
  ASYNCSPY_TRY(at, reader_.read(object, name_at));
  ASYNCSPY_TRY(text, name(at));
  return text_at(fmt::format("{} {}", kind, text), object);
}

// Lib/uuid.py: the number is in the attribute `int`.
Result<std::string> ValueText::uuid(Address object, const TypeForm& known) {
  ASYNCSPY_TRY(number, find_attribute(reader_, types_, *known.type, object, "int"));
  if (!number) return fail(ErrorKind::kCorrupt, "a UUID without its number", {}, object);
  ASYNCSPY_TRY(bits, read_wide_integer(reader_, *number));
  return fmt::format("UUID('{:08x}-{:04x}-{:04x}-{:04x}-{:012x}')", bits[0] >> 32, bits[0] >> 16 & 0xFFFF, bits[0] & 0xFFFF,
                     bits[1] >> 48, bits[1] & 0xFFFF'FFFF'FFFF);
}

// Lib/enum.py: a combination of flags can have no name.
Result<std::string> ValueText::member_of_enumeration(Address object, const TypeForm& known) {
  ASYNCSPY_TRY(found, find_attribute(reader_, types_, *known.type, object, "_name_"));
  if (!found) return fail(ErrorKind::kCorrupt, "a member of an enumeration without its name", {}, object);
  ASYNCSPY_TRY(form, forms_.of(reader_, types_, *found));
  if (form->form != ObjectForm::kText) return text_at(known.type->name, object);
  ASYNCSPY_TRY(text, name(*found));
  return fmt::format("{}.{}", known.type->short_name(), text);
}

Result<std::string> ValueText::module(Address object) {
  ASYNCSPY_TRY(dict, reader_.read(object, reader_.layout.module.dict));
  ASYNCSPY_TRY(entry, find_in_dict(reader_, dict, "__name__"));
  if (!entry) return text_at("module", object);
  ASYNCSPY_TRY(text, name(*entry));
  return fmt::format("<module '{}'>", text);
}

Result<std::string> ValueText::built_in(Address object) {
  ASYNCSPY_TRY(definition, reader_.read(object, reader_.layout.function.builtin_definition));
  ASYNCSPY_TRY(name_at, reader_.memory.read_value<Address>(definition));  // PyMethodDef.ml_name
  ASYNCSPY_TRY(text, read_c_string(reader_.memory, name_at, static_cast<std::size_t>(kNameLength)));
  return fmt::format("<built-in function {}>", text);
}

Result<std::string> ValueText::method(Address object) {
  const FunctionLayout& functions = reader_.layout.function;
  ASYNCSPY_TRY(function, reader_.read(object, functions.method_function));
  ASYNCSPY_TRY(self, reader_.read(object, functions.method_self));
  ASYNCSPY_TRY(form, forms_.of(reader_, types_, function));
  std::string called = form->type->name;
  if (form->form == ObjectForm::kFunction) {
    ASYNCSPY_TRY(name_at, reader_.read(function, functions.function_qualified_name));
    ASYNCSPY_TRY(text, name(name_at));
    called = text;
  }
  ASYNCSPY_TRY(owner, types_.of(reader_, self));
  return fmt::format("<bound method {} of {}>", called, text_at(owner->name, self));
}

}  // namespace asyncspy
