// Which frames are the program's own code, as opposed to the standard library's and installed packages'.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report.h"

namespace asyncspy {

// By the usual places: site-packages, dist-packages, lib/python3.N, frozen modules.
[[nodiscard]] bool is_library_file(std::string_view file);

// The innermost frame of the program's own code, or the innermost one at all when there is none; null: the stack is empty.
[[nodiscard]] const Frame* find_own_frame(const Report& report, const std::vector<Frame>& stack);

// The same of what a light sample shows; null: the stack is empty.
[[nodiscard]] const LightFrame* find_own_frame(const std::vector<LightFrame>& stack);

// The name of what a frame executes: the object's own, else its code's, else its type's; empty when nothing is known.
[[nodiscard]] std::string_view name_of_frame(const Report& report, const Frame& frame);

// "/srv/shop/orders.py:31"; empty when the file is not known.
[[nodiscard]] std::string place_of_frame(const Report& report, const Frame& frame);

}  // namespace asyncspy
