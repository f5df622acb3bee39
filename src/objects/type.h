// What asyncspy knows of a Python type, read once per type.
#pragma once

#include <array>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "address_map.h"
#include "object_reader.h"

namespace asyncspy {

// Built-in types that take part in awaiting, told by name, flags and member table.
enum class TypeKind : std::uint8_t {
  kOther,
  kCoroutine,
  kGenerator,
  kAsyncGenerator,
  kCoroutineWrapper,  // coroutine.__await__()
  kAsyncGeneratorSend,
  kAsyncGeneratorThrow,  // also aclose()
  kAnextAwaitable,
  kFutureIterator,
  kCythonCoroutine,
};

struct CythonMembers {
  std::int32_t delegate = kAbsentOffset;        // cr_await or gi_yieldfrom
  std::int32_t qualified_name = kAbsentOffset;  // gi_qualname, just before __module__
};

struct Type {
  Address address;
  std::string name;  // tp_name of a static type; "module.qualname" of a heap type
  TypeKind kind = TypeKind::kOther;
  std::int64_t basic_size = 0;
  std::uint64_t flags = 0;
  std::int64_t dict_offset = 0;
  Address cached_keys;  // of instances with inline or split values; null for static types
  Address dict;
  Address getset;
  Address members;
  std::vector<Address> mro;
  CythonMembers cython;

  [[nodiscard]] bool is_heap_type() const { return (flags >> 9 & 1) != 0; }
  // The last component of the name.
  [[nodiscard]] std::string_view short_name() const;
};

// Py_TPFLAGS_INLINE_VALUES and Py_TPFLAGS_MANAGED_DICT (Include/object.h).
inline constexpr std::uint64_t kInlineValuesFlag = 1U << 2;
inline constexpr std::uint64_t kManagedDictFlag = 1U << 4;

// A member that a class declared in __slots__: an object, or null.
struct Slot {
  std::string name;
  std::int64_t offset = 0;
};

class TypeTable {
 public:
  // The type at `address`. The reference stays valid as long as the table.
  [[nodiscard]] Result<const Type*> find(const ObjectReader& reader, Address address);

  // The type of the object.
  [[nodiscard]] Result<const Type*> of(const ObjectReader& reader, Address object) {
    Address type;
    if (const std::byte* here = reader.memory.look(object + static_cast<std::uint64_t>(reader.layout.object.type.offset), sizeof type)) {
      std::memcpy(&type, here, sizeof type);
      const Recent& recent = recent_[place_of(type)];
      if (recent.type != nullptr && recent.address == type) return recent.type;
    }
    return find_of(reader, object);
  }

  // Offset of a __slots__ member of the class or its bases, or nothing when it has none of that name.
  [[nodiscard]] Result<std::optional<std::int64_t>> slot_offset(const ObjectReader& reader, const Type& type,
                                                                std::string_view name);

  // All __slots__ members of the class and its bases, those of the outermost base first; what can not be read is left out.
  [[nodiscard]] const std::vector<Slot>& slots_of(const ObjectReader& reader, const Type& type);

  // Whether `type` or one of its bases has the name (as in Type::name).
  [[nodiscard]] bool inherits(const ObjectReader& reader, const Type& type, std::string_view name);

 private:
  struct Known {
    Type type;
    std::vector<std::pair<std::string, std::optional<std::int64_t>>> slots;  // few per type
    std::vector<std::pair<std::string, bool>> inherits;                      // likewise
    std::optional<std::vector<Slot>> all_slots;
  };
  [[nodiscard]] Known& known(const Type& type) { return **index_.find(type.address); }
  [[nodiscard]] Result<const Type*> find_of(const ObjectReader& reader, Address object);

  // Few types are asked for again and again.
  struct Recent {
    Address address;
    const Type* type = nullptr;
  };
  static constexpr int kRecentBits = 6;
  [[nodiscard]] static std::size_t place_of(Address type) { return type.value() * 0x9E3779B97F4A7C15ULL >> (64 - kRecentBits); }

  std::deque<Known> known_;  // which never move
  AddressMap<Known*> index_;
  std::array<Recent, std::size_t{1} << kRecentBits> recent_{};
};

}  // namespace asyncspy
