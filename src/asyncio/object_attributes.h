// Attributes of the target's objects by name, None counted as absent: what every reader of asyncio's own classes needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "inspection.h"

namespace asyncspy {

// The object under the name, in the instance's dictionary or slots. Null: it has none, it is None, or it can not be read.
[[nodiscard]] Address find_object(Inspection& inspection, Address owner, std::string_view name);

[[nodiscard]] std::optional<std::int64_t> find_integer(Inspection& inspection, Address owner, std::string_view name);
[[nodiscard]] std::optional<bool> find_flag(Inspection& inspection, Address owner, std::string_view name);

// How many elements a list, deque, tuple, set, dict or bytearray has; nothing for other types.
[[nodiscard]] std::optional<std::int64_t> count_elements(Inspection& inspection, Address container);

// Elements of a list, tuple, deque or set, the keys of a dict, at most `limit`; empty for other types.
[[nodiscard]] std::vector<Address> read_elements(Inspection& inspection, Address container, std::size_t limit);

// The type's name, as in Type::name; empty when it can not be read.
[[nodiscard]] std::string_view type_name_of(Inspection& inspection, Address object);

[[nodiscard]] bool is_instance(Inspection& inspection, Address object, std::string_view type_name);

}  // namespace asyncspy
