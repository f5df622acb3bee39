// Whether to write colours: asked for, forbidden, or as the terminal and the environment suggest.
#pragma once

#include <string>

#include "output_file.h"

namespace asyncspy {

enum class ColourChoice { kAuto, kAlways, kNever };

// kAuto: only on a terminal, and neither with NO_COLOR set nor with TERM=dumb.
[[nodiscard]] bool wants_colour(ColourChoice choice, const OutputFile& output);

}  // namespace asyncspy
