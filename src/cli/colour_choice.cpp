#include "colour_choice.h"

#include <cstdlib>
#include <string_view>

namespace asyncspy {

bool wants_colour(ColourChoice choice, const OutputFile& output) {
  if (choice != ColourChoice::kAuto) return choice == ColourChoice::kAlways;
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return output.is_terminal();
}

}  // namespace asyncspy
