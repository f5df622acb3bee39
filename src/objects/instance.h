// Attributes that an instance itself carries: its dictionary in whichever form, and its slots.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "containers.h"
#include "type.h"

namespace asyncspy {

// The entries of the instance's dictionary, at most `most`; empty when it has none. Class attributes are not looked up.
[[nodiscard]] Result<std::vector<DictEntry>> read_attributes(const ObjectReader& reader, const Type& type, Address object,
                                                             std::size_t most = kAllItems);

// One attribute from the instance's dictionary or, failing that, from a __slots__ member of its classes.
[[nodiscard]] Result<std::optional<Address>> find_attribute(const ObjectReader& reader, TypeTable& types, const Type& type,
                                                            Address object, std::string_view name);

}  // namespace asyncspy
