#include "validate.h"

#include <fmt/format.h>

#include "fields.h"

namespace asyncspy {
namespace {

// These structs are large and are read member by member; all others are copied whole.
bool is_read_by_member(std::string_view field) {
  return field.starts_with("runtime.") || field.starts_with("interpreter.") || field.starts_with("thread.") ||
         field == "type.cached_keys" || field == "type.qualified_name" || field == "frame_object.localsplus" ||
         field == "sequence.deque_block_right" || field.ends_with(".size");
}

template <class T>
std::int32_t end_of(const Field<T>& field) {
  return field.present() ? field.offset + static_cast<std::int32_t>(sizeof(T)) : 0;
}
std::int32_t end_of(const Flag& flag) { return flag.offset + static_cast<std::int32_t>(sizeof(std::uint32_t)); }
std::int32_t end_of(const std::int32_t& size) { return size; }

}  // namespace

Result<void> validate(const PythonLayout& layout) {
  std::string bad;
  for_each_field(layout, [&](std::string_view name, const auto& field) {
    if (bad.empty() && !is_read_by_member(name) && end_of(field) > kLargestObjectView) bad = name;
  });
  if (!bad.empty()) {
    return fail(ErrorKind::kUnsupported, fmt::format("layout: {} lies beyond every known object of its kind", bad));
  }
  return {};
}

}  // namespace asyncspy
