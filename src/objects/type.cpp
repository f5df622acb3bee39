#include "type.h"

#include "containers.h"
#include "text.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMaxMro = 256;
constexpr std::uint64_t kMemberSize = 40;  // PyMemberDef: name*, int type, Py_ssize_t offset, int flags, doc*
constexpr int kMaxMembers = 64;

struct BuiltinName {
  std::string_view name;
  TypeKind kind;
};
constexpr BuiltinName kBuiltins[] = {
    {"coroutine", TypeKind::kCoroutine},
    {"generator", TypeKind::kGenerator},
    {"async_generator", TypeKind::kAsyncGenerator},
    {"coroutine_wrapper", TypeKind::kCoroutineWrapper},
    {"async_generator_asend", TypeKind::kAsyncGeneratorSend},
    {"async_generator_athrow", TypeKind::kAsyncGeneratorThrow},
    {"anext_awaitable", TypeKind::kAnextAwaitable},
};

// Cython's coroutines and generators have the names of CPython's; but what CPython computes by getters (cr_await,
// gi_yieldfrom) they have in tp_members. Cython/Utility/Coroutine.c: gi_name, gi_qualname, gi_modulename follow each other.
CythonMembers read_cython_members(const ObjectReader& reader, Address members) {
  CythonMembers found;
  std::int32_t module_offset = kAbsentOffset;
  for (int i = 0; i < kMaxMembers && !members.is_null(); ++i) {
    Address entry = members + static_cast<std::uint64_t>(i) * kMemberSize;
    auto name_at = reader.memory.read_value<Address>(entry);
    if (!name_at || name_at->is_null()) break;
    auto name = read_c_string(reader.memory, *name_at, 32);
    auto offset = reader.memory.read_value<std::int64_t>(entry + 16);
    if (!name || !offset || *offset < 16 || *offset > 256) continue;
    if (*name == "cr_await" || *name == "gi_yieldfrom") found.delegate = static_cast<std::int32_t>(*offset);
    if (*name == "__module__") module_offset = static_cast<std::int32_t>(*offset);
  }
  if (found.delegate >= 0 && module_offset >= 24) found.qualified_name = module_offset - 8;
  return found;
}

// tp_name of a class made in Python has no module; __module__ is in its dictionary.
std::string read_heap_name(const ObjectReader& reader, const Type& type, const std::string& fallback) {
  std::string name = fallback;
  if (auto qualified = reader.read(type.address, reader.layout.type.qualified_name)) {
    if (auto text = read_text(reader, *qualified)) name = *text;
  }
  if (fallback.find('.') != std::string::npos) return fallback;  // a C type made by PyType_FromSpec names its module
  auto module = find_in_dict(reader, type.dict, "__module__");
  if (!module || !*module) return name;
  auto text = read_text(reader, **module);
  if (!text || text->empty() || *text == "builtins") return name;
  return *text + "." + name;
}

// A slot is a member_descriptor in a class's dictionary (Objects/typeobject.c, type_new_slots), whose PyMemberDef says that it
// is an object which may be null (T_OBJECT_EX, Include/structmember.h; descrobject.h from 3.12).
std::optional<std::int64_t> read_slot_offset(const ObjectReader& reader, Address descriptor) {
  constexpr std::int32_t kObjectOrNull = 16;
  auto member = reader.read(descriptor, reader.layout.descriptor.member);
  if (!member) return std::nullopt;
  auto kind = reader.memory.read_value<std::int32_t>(*member + 8);
  auto offset = reader.read(*member, reader.layout.descriptor.member_offset);
  if (!kind || *kind != kObjectOrNull || !offset || *offset < 16 || *offset > 4096) return std::nullopt;
  return *offset;
}

TypeKind classify(const Type& type) {
  if (type.cython.delegate >= 0) return TypeKind::kCythonCoroutine;
  if (type.name == "_asyncio.FutureIter") return TypeKind::kFutureIterator;
  // Cython's wrapper keeps its coroutine where CPython's does (Cython/Utility/Coroutine.c).
  if (type.name.starts_with("_cython_") && type.short_name() == "coroutine_wrapper") return TypeKind::kCoroutineWrapper;
  if (type.is_heap_type()) return TypeKind::kOther;
  for (const BuiltinName& builtin : kBuiltins) {
    if (type.name == builtin.name) return builtin.kind;
  }
  return TypeKind::kOther;
}

}  // namespace

std::string_view Type::short_name() const {
  std::string_view all = name;
  std::size_t dot = all.rfind('.');
  return dot == std::string_view::npos ? all : all.substr(dot + 1);
}

Result<const Type*> TypeTable::find(const ObjectReader& reader, Address address) {
  if (Known** known = index_.find(address)) return &(*known)->type;

  const TypeLayout& layout = reader.layout.type;
  ASYNCSPY_TRY(view, reader.view_of(address, layout.name, layout.basic_size, layout.flags, layout.dict_offset,
                                    layout.dict, layout.getset, layout.members, layout.mro));
  Type type;
  type.address = address;
  type.basic_size = view.get(layout.basic_size);
  type.flags = view.get(layout.flags);
  type.dict_offset = view.get(layout.dict_offset);
  type.dict = view.get(layout.dict);
  type.getset = view.get(layout.getset);
  type.members = view.get(layout.members);
  if (type.basic_size < 16 || type.basic_size > (1 << 20)) {
    return fail(ErrorKind::kCorrupt, "not a type object", {}, address);
  }
  ASYNCSPY_TRY(name, read_c_string(reader.memory, view.get(layout.name), kMaxTypeName));
  type.name = name;
  // A static type that nobody readied has none: async_generator_asend up to 3.9 (Objects/genobject.c).
  type.mro = {address};
  if (Address mro_at = view.get(layout.mro); !mro_at.is_null()) {
    ASYNCSPY_TRY(mro, read_tuple(reader, mro_at));
    if (mro.size() > kMaxMro) return fail(ErrorKind::kCorrupt, "not a type object", {}, address);
    type.mro = std::move(mro);
  }
  if (type.name.find("coroutine") != std::string::npos || type.name.find("generator") != std::string::npos) {
    type.cython = read_cython_members(reader, type.members);
  }
  if (type.is_heap_type()) {
    if (auto keys = reader.read(address, layout.cached_keys)) type.cached_keys = *keys;
    type.name = read_heap_name(reader, type, name);
  }
  type.kind = classify(type);
  known_.push_back({.type = std::move(type), .slots = {}, .inherits = {}, .all_slots = {}});
  index_.add(address, &known_.back());
  return &known_.back().type;
}

Result<const Type*> TypeTable::find_of(const ObjectReader& reader, Address object) {
  ASYNCSPY_TRY(address, reader.type_of(object));
  auto type = find(reader, address);
  if (type) recent_[place_of(address)] = {address, *type};
  return type;
}

// A slot is a member_descriptor in a class's dictionary (Objects/typeobject.c, type_new_slots).
Result<std::optional<std::int64_t>> TypeTable::slot_offset(const ObjectReader& reader, const Type& type, std::string_view name) {
  for (const auto& [slot, offset] : known(type).slots) {
    if (slot == name) return offset;
  }
  std::optional<std::int64_t> found;
  for (Address base : type.mro) {
    ASYNCSPY_TRY(owner, find(reader, base));
    if (!owner->is_heap_type() || owner->dict.is_null()) continue;
    ASYNCSPY_TRY(entry, find_in_dict(reader, owner->dict, name));
    if (!entry) continue;
    ASYNCSPY_TRY(descriptor, of(reader, *entry));
    if (descriptor->name != "member_descriptor") break;
    ASYNCSPY_TRY(member, reader.read(*entry, reader.layout.descriptor.member));
    ASYNCSPY_TRY(offset, reader.read(member, reader.layout.descriptor.member_offset));
    if (offset < 16 || offset > 4096) return fail(ErrorKind::kCorrupt, "offset of a slot is not plausible", {}, member);
    found = offset;
    break;
  }
  known(type).slots.emplace_back(name, found);
  return found;
}

const std::vector<Slot>& TypeTable::slots_of(const ObjectReader& reader, const Type& type) {
  constexpr std::size_t kMostEntries = 512;  // of a class's dictionary
  if (const auto& slots = known(type).all_slots) return *slots;
  std::vector<Slot> slots;
  const std::vector<Address> mro = type.mro;
  for (std::size_t i = mro.size(); i-- > 0;) {
    auto owner = find(reader, mro[i]);
    if (!owner || !(*owner)->is_heap_type() || (*owner)->dict.is_null()) continue;
    auto entries = read_dict(reader, (*owner)->dict, kMostEntries);
    if (!entries) continue;
    for (const DictEntry& entry : *entries) {
      auto kind = of(reader, entry.value);
      if (!kind || (*kind)->name != "member_descriptor") continue;
      auto offset = read_slot_offset(reader, entry.value);
      auto name = read_text(reader, entry.key);
      if (offset && name) slots.push_back({*name, *offset});
    }
  }
  return known(type).all_slots.emplace(std::move(slots));
}

bool TypeTable::inherits(const ObjectReader& reader, const Type& type, std::string_view name) {
  for (const auto& [base, is_base] : known(type).inherits) {
    if (base == name) return is_base;
  }
  bool found = false;
  bool all_known = true;
  for (std::size_t i = 0; i < type.mro.size() && !found; ++i) {
    auto base = find(reader, type.mro[i]);
    all_known = all_known && base;
    found = base && (*base)->name == name;
  }
  if (found || all_known) known(type).inherits.emplace_back(name, found);
  return found;
}

}  // namespace asyncspy
