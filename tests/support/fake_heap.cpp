#include "fake_heap.h"

#include <bit>

#include "type.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kHeapTypeFlag = 1U << 9;
constexpr std::uint64_t kTypeSubclassFlag = std::uint64_t{1} << 31;
constexpr std::int64_t kPrefix = 32;  // before an object: the collector's header and what 3.11+ puts before instances

std::uint64_t as_offset(std::int32_t offset) { return static_cast<std::uint64_t>(offset); }

}  // namespace

void FakeHeap::set(Address object, Flag flag, bool value) {
  auto word = memory.read_value<std::uint32_t>(object + as_offset(flag.offset)).value_or(0);
  word = value ? word | (flag.mask == 0xFFFFFFFF ? 1U : flag.mask) : word & ~flag.mask;
  memory.write(object + as_offset(flag.offset), word);
}

Address FakeHeap::object(Address type, std::int64_t size) {
  Address place = memory.allocate(static_cast<std::size_t>(kPrefix + size)) + static_cast<std::uint64_t>(kPrefix);
  set(place, layout_.object.reference_count, 1);
  set(place, layout_.object.type, type);
  return place;
}

Address FakeHeap::make_type(std::string_view name, const FakeType& more, bool heap) {
  const TypeLayout& layout = layout_.type;
  Address metatype = name == "type" ? Address{} : static_type("type");
  Address type = object(metatype, heap ? std::max(layout.cached_keys.offset, layout.qualified_name.offset) + 8 : layout.size);
  if (name == "type") set(type, layout_.object.type, type);
  set(type, layout.name, memory.write_c_string(name));
  set(type, layout.basic_size, more.basic_size);
  set(type, layout.item_size, more.item_size);
  set(type, layout.flags, more.flags | (heap ? kHeapTypeFlag : 0) | (name == "type" ? kTypeSubclassFlag : 0));
  set(type, layout.dict_offset, more.dict_offset);
  if (!more.members.empty()) {
    Address members = memory.allocate((more.members.size() + 1) * 40);
    for (std::size_t i = 0; i < more.members.size(); ++i) {
      memory.write(members + i * 40, memory.write_c_string(more.members[i].first));
      memory.write(members + i * 40 + 16, more.members[i].second);
    }
    set(type, layout.members, members);
  }
  if (name == "tuple" || name == "type") return type;  // a tuple can not be made before them: their mro stays null
  std::vector<Address> mro{type};
  mro.insert(mro.end(), more.bases.begin(), more.bases.end());
  set(type, layout.mro, tuple(mro));
  return type;
}

Address FakeHeap::static_type(std::string_view name, const FakeType& more) {
  if (auto known = types_.find(name); known != types_.end()) return known->second;
  Address type = make_type(name, more, false);
  types_.emplace(name, type);
  return type;
}

Address FakeHeap::heap_type(std::string_view module, std::string_view name, FakeType more) {
  Address type = make_type(name.substr(name.rfind('.') + 1), more, true);  // tp_name is the bare name
  more.dict.emplace_back("__module__", ascii(module));
  set(type, layout_.type.dict, dict(more.dict));
  set(type, layout_.type.qualified_name, ascii(name));
  if (!more.cached_keys.empty()) {
    std::vector<std::pair<Address, Address>> keys;
    for (std::string_view key : more.cached_keys) keys.emplace_back(ascii(key), Address{});
    set(type, layout_.type.cached_keys, dict_keys(keys, DictForm::kSplit));
  }
  return type;
}

Address FakeHeap::slotted_type(std::string_view module, std::string_view name, const std::vector<std::string_view>& slots,
                               const std::vector<Address>& bases) {
  FakeType more{.bases = bases};
  std::int64_t offset = 16;
  for (std::string_view slot : slots) {
    Address member = memory.allocate(40);
    memory.write(member + 8, std::int32_t{16});  // PyMemberDef.type: T_OBJECT_EX
    set(member, layout_.descriptor.member_offset, offset);
    Address descriptor = object(static_type("member_descriptor"), layout_.descriptor.member.offset + 8);
    set(descriptor, layout_.descriptor.member, member);
    more.dict.emplace_back(slot, descriptor);
    offset += 8;
  }
  more.basic_size = offset;
  return heap_type(module, name, more);
}

Address FakeHeap::none() {
  Address& none = singletons_[-1];
  if (none.is_null()) none = object(static_type("NoneType"), 16);
  return none;
}

Address FakeHeap::boolean(bool value) {
  Address& known = singletons_[value ? 1 : 0];
  if (known.is_null()) {
    known = integer(value ? 1 : 0);
    set(known, layout_.object.type, static_type("bool", {.bases = {static_type("int")}}));
  }
  return known;
}

Address FakeHeap::ascii(std::string_view characters) {
  const TextLayout& layout = layout_.text;
  // The reader copies the compact header, also of an ASCII string: in a process the rest of the heap is there.
  std::size_t size = std::max(as_offset(layout.ascii_data.offset) + characters.size() + 1, as_offset(layout.compact_data.offset));
  Address text = object(static_type("str"), static_cast<std::int64_t>(size));
  set(text, layout.length, characters.size());
  set(text, layout.state, 1U << 2 | 1U << 5 | 1U << 6);
  memory.write_bytes(at(text, layout.ascii_data), std::as_bytes(std::span(characters)));
  return text;
}

Address FakeHeap::text(std::u32string_view characters, std::uint32_t kind, bool compact) {
  const TextLayout& layout = layout_.text;
  std::size_t data_size = characters.size() * kind;
  Address text = object(static_type("str"), static_cast<std::int64_t>(as_offset(layout.compact_data.offset) + (compact ? data_size : 8)));
  set(text, layout.length, characters.size());
  set(text, layout.state, kind << 2 | (compact ? 1U << 5 : 0));
  Address data = at(text, layout.compact_data);
  if (!compact) {
    data = memory.allocate(data_size);
    set(text, layout.legacy_data, data);
  }
  for (std::size_t i = 0; i < characters.size(); ++i) {
    char32_t c = characters[i];
    memory.write_bytes(data + i * kind, std::as_bytes(std::span(&c, 1)).first(kind));
  }
  return text;
}

Address FakeHeap::integer(std::int64_t value) {
  std::uint64_t magnitude = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::vector<std::uint32_t> digits;
  for (std::uint64_t rest = magnitude; rest != 0; rest >>= 30) digits.push_back(static_cast<std::uint32_t>(rest & 0x3FFFFFFF));
  auto count = static_cast<std::int64_t>(digits.size());
  Address number = object(static_type("int"), layout_.number.digits.offset + 4 * std::max<std::int64_t>(count, 1));
  if (layout_.integer_coding == IntegerCoding::kTagged) {
    std::int64_t sign = value == 0 ? 1 : value < 0 ? 2 : 0;
    set(number, layout_.number.integer_tag, count << 3 | sign);
  } else {
    set(number, layout_.number.integer_tag, value < 0 ? -count : count);
  }
  for (std::size_t i = 0; i < digits.size(); ++i) memory.write(at(number, layout_.number.digits) + 4 * i, digits[i]);
  return number;
}

Address FakeHeap::real(double value) {
  Address number = object(static_type("float"), layout_.number.float_value.offset + 8);
  set(number, layout_.number.float_value, value);
  return number;
}

Address FakeHeap::bytes(std::span<const std::uint8_t> values) {
  const SequenceLayout& layout = layout_.sequence;
  Address place = object(static_type("bytes"), layout.bytes_data.offset + static_cast<std::int64_t>(values.size()) + 1);
  set(place, layout.bytes_size, values.size());
  memory.write_bytes(at(place, layout.bytes_data), std::as_bytes(values));
  return place;
}

Address FakeHeap::weak_reference(Address target) {
  Address reference = object(static_type("weakref"), layout_.weak_reference.object.offset + 8);
  set(reference, layout_.weak_reference.object, target);
  return reference;
}

Address FakeHeap::module(std::string_view name, Address dict, Address state) {
  Address place = object(static_type("module"), std::max(layout_.module.state.offset, layout_.module.dict.offset) + 8);
  (void)name;
  set(place, layout_.module.dict, dict);
  set(place, layout_.module.state, state);
  return place;
}

Address FakeHeap::cell(Address value) {
  Address place = object(static_type("cell"), layout_.function.cell_value.offset + 8);
  set(place, layout_.function.cell_value, value);
  return place;
}

Address FakeHeap::function(std::string_view qualified_name, const std::vector<Address>& closure) {
  const FunctionLayout& layout = layout_.function;
  Address place = object(static_type("function"), 128);
  set(place, layout.function_qualified_name, ascii(qualified_name));
  if (!closure.empty()) set(place, layout.function_closure, tuple(closure));
  return place;
}

Address FakeHeap::method(Address function, Address self) {
  Address place = object(static_type("method"), 40);
  set(place, layout_.function.method_function, function);
  set(place, layout_.function.method_self, self);
  return place;
}

Address FakeHeap::builtin(std::string_view name, Address self) {
  Address definition = memory.allocate(32);
  memory.write(definition, memory.write_c_string(name));
  Address place = object(static_type("builtin_function_or_method"), 40);
  set(place, layout_.function.builtin_definition, definition);
  set(place, layout_.function.builtin_self, self);
  return place;
}

Address FakeHeap::exception(Address type, const std::vector<Address>& arguments) {
  Address place = object(type, 80);
  set(place, layout_.exception.arguments, tuple(arguments));
  return place;
}

Address FakeHeap::partial(Address function, const std::vector<Address>& arguments) {
  Address place = object(static_type("functools.partial"), 48);
  set(place, layout_.function.partial_function, function);
  set(place, layout_.function.partial_arguments, tuple(arguments));
  return place;
}

}  // namespace asyncspy
