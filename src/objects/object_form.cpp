#include "object_form.h"

#include "containers.h"
#include "text.h"

namespace asyncspy {
namespace {

struct KnownType {
  std::string_view name;
  ObjectForm form;
};

constexpr KnownType kKnownTypes[] = {
    {"int", ObjectForm::kInteger},
    {"str", ObjectForm::kText},
    {"dict", ObjectForm::kDict},
    {"tuple", ObjectForm::kTuple},
    {"list", ObjectForm::kList},
    {"bytes", ObjectForm::kBytes},
    {"float", ObjectForm::kFloat},
    {"set", ObjectForm::kSet},
    {"frozenset", ObjectForm::kFrozenSet},
    {"collections.deque", ObjectForm::kDeque},
    {"BaseException", ObjectForm::kException},
    {"type", ObjectForm::kClass},
    {"module", ObjectForm::kModule},
    {"NoneType", ObjectForm::kNone},
    {"bool", ObjectForm::kBool},
    {"ellipsis", ObjectForm::kEllipsis},
    {"NotImplementedType", ObjectForm::kNotImplemented},
    {"function", ObjectForm::kFunction},
    {"method", ObjectForm::kMethod},
    {"builtin_function_or_method", ObjectForm::kBuiltin},
    {"coroutine", ObjectForm::kCoroutine},
    {"generator", ObjectForm::kCoroutine},
    {"async_generator", ObjectForm::kCoroutine},
    {"_contextvars.ContextVar", ObjectForm::kContextVariable},
    {"ContextVar", ObjectForm::kContextVariable},
};

// Classes made in Python whose instances are read by their attributes.
constexpr KnownType kKnownClasses[] = {{"enum.Enum", ObjectForm::kEnum}, {"uuid.UUID", ObjectForm::kUuid}};

// A class made in Python can have any name: what tells it from a built-in type of that name is that its instances have a
// dictionary or that it belongs to a module.
bool is_built_in(const Type& type) {
  if (!type.is_heap_type()) return true;
  return type.name.find('.') != std::string::npos && type.dict_offset == 0 && (type.flags & kManagedDictFlag) == 0;
}

// What is no type has no type whose type it is: Py_TPFLAGS_TYPE_SUBCLASS (Include/object.h) tells the metatypes.
bool is_type(const ObjectReader& reader, TypeTable& types, const Type& type) {
  constexpr std::uint64_t kTypeSubclassFlag = std::uint64_t{1} << 31;
  auto metatype = types.of(reader, type.address);
  return metatype && ((*metatype)->flags & kTypeSubclassFlag) != 0;
}

// collections.namedtuple and typing.NamedTuple keep the names of the fields in the class.
std::vector<std::string> read_fields(const ObjectReader& reader, TypeTable& types, const Type& type) {
  constexpr std::size_t kMostFields = 64;
  std::vector<std::string> fields;
  for (Address base : type.mro) {
    auto owner = types.find(reader, base);
    if (!owner || !(*owner)->is_heap_type()) continue;
    auto entry = find_in_dict(reader, (*owner)->dict, "_fields");
    if (!entry || !*entry) continue;
    auto entry_type = types.of(reader, **entry);
    if (!entry_type || (*entry_type)->name != "tuple") return {};
    auto items = read_tuple(reader, **entry, kMostFields);
    if (!items) return {};
    for (Address item : *items) {
      auto characters = read_characters(reader, item, 100);
      if (!characters) return {};
      std::string name;
      for (char32_t c : characters->first) append_utf8(name, c);
      fields.push_back(std::move(name));
    }
    return fields;
  }
  return fields;
}

Result<TypeForm> find_form(const ObjectReader& reader, TypeTable& types, Address type_at) {
  ASYNCSPY_TRY(type, types.find(reader, type_at));
  if (!is_type(reader, types, *type)) return fail(ErrorKind::kCorrupt, "not a type object", {}, type_at);
  TypeForm form;
  form.type = type;
  for (const KnownType& known : kKnownClasses) {
    if (types.inherits(reader, *type, known.name)) form.form = known.form;
  }
  for (std::size_t i = 0; i < type->mro.size() && form.form == ObjectForm::kOther; ++i) {
    auto base = types.find(reader, type->mro[i]);
    if (!base || !is_built_in(**base)) continue;
    for (const KnownType& known : kKnownTypes) {
      if ((*base)->name == known.name) form.form = known.form;
    }
    form.is_exact = i == 0;
  }
  if (form.form == ObjectForm::kTuple && !form.is_exact) form.fields = read_fields(reader, types, *type);
  return form;
}

}  // namespace

Result<const TypeForm*> FormTable::of(const ObjectReader& reader, TypeTable& types, Address object) {
  if (object.value() % 8 != 0) return fail(ErrorKind::kCorrupt, "not an object", {}, object);
  ASYNCSPY_TRY(type_at, reader.type_of(object));
  auto known = forms_.find(type_at);
  if (known == forms_.end()) {
    ASYNCSPY_TRY(form, find_form(reader, types, type_at));
    known = forms_.emplace(type_at, std::move(form)).first;
  }
  return &known->second;
}

}  // namespace asyncspy
