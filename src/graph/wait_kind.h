// The kind of a wait in one word: the one that the JSON report has, and that a filter takes.
#pragma once

#include <string_view>

#include "wait.h"

namespace asyncspy {

[[nodiscard]] std::string_view to_word(const Wait& wait);

}  // namespace asyncspy
