#include "instance.h"

#include "text.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kManagedWord = 24;   // before the object: dictionary pointer, or the tagged word of 3.12
constexpr std::uint64_t kManagedValues = 32;  // 3.11: values pointer

// tp_dictoffset: from the start, or, negative, from the end of a variable-sized object (Objects/object.c,
// _PyObject_GetDictPtr).
Result<Address> dict_by_offset(const ObjectReader& reader, const Type& type, Address object) {
  std::int64_t offset = type.dict_offset;
  if (offset == 0) return Address{};
  if (offset < 0) {
    ASYNCSPY_TRY(count, reader.read(object, reader.layout.object.var_size));
    ASYNCSPY_TRY(item_size, reader.read(type.address, reader.layout.type.item_size));
    if (count < -kMaxContainerItems || count > kMaxContainerItems || item_size < 0 || item_size > 4096) return fail(ErrorKind::kCorrupt, "size of an object is not plausible", {}, object);
    std::int64_t items = count < 0 ? -count : count;
    std::int64_t size = (type.basic_size + items * item_size + 7) & ~std::int64_t{7};
    offset += size;
  }
  if (offset < 0) return fail(ErrorKind::kCorrupt, "dictionary offset of a type is not plausible", {}, type.address);
  return reader.memory.read_value<Address>(object + static_cast<std::uint64_t>(offset));
}

Result<std::vector<DictEntry>> read_if_present(const ObjectReader& reader, Address dict, std::size_t most) {
  if (dict.is_null()) return std::vector<DictEntry>{};
  return read_dict(reader, dict, most);
}

Result<std::vector<DictEntry>> read_managed(const ObjectReader& reader, const Type& type, Address object, std::size_t most) {
  ASYNCSPY_TRY(word, reader.memory.read_value<Address>(object - kManagedWord));
  switch (reader.layout.instance_dict) {
    case InstanceDict::kTwoWords: {
      if (!word.is_null()) return read_dict(reader, word, most);
      ASYNCSPY_TRY(values, reader.memory.read_value<Address>(object - kManagedValues));
      if (values.is_null()) return std::vector<DictEntry>{};
      return read_split_entries(reader, type.cached_keys, values, most);
    }
    case InstanceDict::kTaggedWord:
      if ((word.value() & 1) == 0) return read_if_present(reader, word, most);
      return read_split_entries(reader, type.cached_keys, word + 1, most);  // Objects/dictobject.c: values pointer minus 1
    case InstanceDict::kInlineValues: {
      if (!word.is_null() || (type.flags & kInlineValuesFlag) == 0) return read_if_present(reader, word, most);
      Address values = object + static_cast<std::uint64_t>(type.basic_size);
      const DictLayout& layout = reader.layout.dict;
      ASYNCSPY_TRY(valid, reader.read(values, layout.values_valid));
      if (valid == 0) return std::vector<DictEntry>{};
      return read_split_entries(reader, type.cached_keys, values + static_cast<std::uint64_t>(layout.values_first.offset), most);
    }
    case InstanceDict::kDictOffset: break;
  }
  return fail(ErrorKind::kInternal, "a managed dictionary in a release without them");
}

Result<std::optional<Address>> find_slot(const ObjectReader& reader, TypeTable& types, const Type& type, Address object,
                                         std::string_view name) {
  ASYNCSPY_TRY(offset, types.slot_offset(reader, type, name));
  if (!offset) return std::optional<Address>{};
  ASYNCSPY_TRY(value, reader.memory.read_value<Address>(object + static_cast<std::uint64_t>(*offset)));
  if (value.is_null()) return std::optional<Address>{};
  return std::optional<Address>{value};
}

}  // namespace

Result<std::vector<DictEntry>> read_attributes(const ObjectReader& reader, const Type& type, Address object, std::size_t most) {
  if ((type.flags & kManagedDictFlag) != 0 && reader.layout.instance_dict != InstanceDict::kDictOffset) {
    return read_managed(reader, type, object, most);
  }
  ASYNCSPY_TRY(dict, dict_by_offset(reader, type, object));
  return read_if_present(reader, dict, most);
}

Result<std::optional<Address>> find_attribute(const ObjectReader& reader, TypeTable& types, const Type& type,
                                              Address object, std::string_view name) {
  ASYNCSPY_TRY(attributes, read_attributes(reader, type, object));
  ASYNCSPY_TRY(found, find_in_entries(reader, attributes, name));
  if (found) return std::optional<Address>{*found};
  return find_slot(reader, types, type, object, name);
}

}  // namespace asyncspy
