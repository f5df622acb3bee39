// As what an object can be read: as one of the built-in types that asyncspy knows inside, or only as an instance of its class.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "type.h"

namespace asyncspy {

enum class ObjectForm : std::uint8_t {
  kOther,
  kNone, kBool, kEllipsis, kNotImplemented,
  kInteger, kFloat, kText, kBytes,
  kTuple, kList, kDict, kSet, kFrozenSet, kDeque,
  kException, kEnum, kUuid,
  kClass, kModule, kFunction, kMethod, kBuiltin, kCoroutine, kContextVariable,
};

struct TypeForm {
  const Type* type = nullptr;
  ObjectForm form = ObjectForm::kOther;
  bool is_exact = true;             // not derived from the built-in type
  std::vector<std::string> fields;  // of a named tuple
};

class FormTable {
 public:
  // The form of the object's type. Fails when the object has no type that makes sense.
  [[nodiscard]] Result<const TypeForm*> of(const ObjectReader& reader, TypeTable& types, Address object);

 private:
  std::unordered_map<Address, TypeForm> forms_;  // by type
};

}  // namespace asyncspy
