// Whether a layout can be right at all, checked once before anything is read by it.
#pragma once

#include "layout.h"
#include "result.h"

namespace asyncspy {

// The largest copy that is made of one object (object_view.h).
inline constexpr std::int32_t kLargestObjectView = 512;

// Fails with kUnsupported, naming the first member that lies where it can not lie.
[[nodiscard]] Result<void> validate(const PythonLayout& layout);

}  // namespace asyncspy
