#include "object_attributes.h"

#include "containers.h"
#include "instance.h"
#include "number.h"

namespace asyncspy {

std::string_view type_name_of(Inspection& inspection, Address object) {
  if (object.is_null()) return {};
  auto type = inspection.types.of(inspection.reader, object);
  return type ? std::string_view((*type)->name) : std::string_view{};
}

bool is_instance(Inspection& inspection, Address object, std::string_view type_name) {
  if (object.is_null()) return false;
  auto type = inspection.types.of(inspection.reader, object);
  return type && inspection.types.inherits(inspection.reader, **type, type_name);
}

Address find_object(Inspection& inspection, Address owner, std::string_view name) {
  if (owner.is_null()) return {};
  auto type = inspection.types.of(inspection.reader, owner);
  if (!type) return {};
  auto value = find_attribute(inspection.reader, inspection.types, **type, owner, name);
  if (!value || !*value || type_name_of(inspection, **value) == "NoneType") return {};
  return **value;
}

std::optional<std::int64_t> find_integer(Inspection& inspection, Address owner, std::string_view name) {
  Address value = find_object(inspection, owner, name);
  if (!is_instance(inspection, value, "int")) return std::nullopt;
  auto number = read_integer(inspection.reader, value);
  return number ? std::optional(*number) : std::nullopt;
}

std::optional<bool> find_flag(Inspection& inspection, Address owner, std::string_view name) {
  auto number = find_integer(inspection, owner, name);
  return number ? std::optional(*number != 0) : std::nullopt;
}

std::optional<std::int64_t> count_elements(Inspection& inspection, Address container) {
  if (container.is_null()) return std::nullopt;
  const PythonLayout& layout = inspection.layout();
  Int64 count;
  if (is_instance(inspection, container, "list")) count = layout.sequence.list_size;
  else if (is_instance(inspection, container, "tuple")) count = layout.sequence.tuple_size;
  else if (is_instance(inspection, container, "collections.deque")) count = layout.sequence.deque_size;
  else if (is_instance(inspection, container, "set")) count = layout.dict.set_used;
  else if (is_instance(inspection, container, "dict")) count = layout.dict.used;
  else if (is_instance(inspection, container, "bytearray")) count = layout.object.var_size;
  else return std::nullopt;
  auto size = inspection.reader.read(container, count);
  if (!size || *size < 0 || *size > kMaxContainerItems) return std::nullopt;
  return *size;
}

std::vector<Address> read_elements(Inspection& inspection, Address container, std::size_t limit) {
  Result<std::vector<Address>> items = std::vector<Address>{};
  if (is_instance(inspection, container, "list")) items = read_list(inspection.reader, container);
  else if (is_instance(inspection, container, "tuple")) items = read_tuple(inspection.reader, container);
  else if (is_instance(inspection, container, "collections.deque")) items = read_deque(inspection.reader, container);
  else if (is_instance(inspection, container, "set")) items = read_set(inspection.reader, container);
  else if (is_instance(inspection, container, "dict")) {
    if (auto entries = read_dict(inspection.reader, container)) {
      for (const DictEntry& entry : *entries) items->push_back(entry.key);
    }
  }
  if (!items) return {};
  if (items->size() > limit) items->resize(limit);
  return std::move(*items);
}

}  // namespace asyncspy
