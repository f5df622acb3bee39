// Colours of the text output, by role. Without colour no escape byte is written at all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace asyncspy {

enum class Role : std::uint8_t {
  kHeading,   // titles of sections
  kBlocked,   // what is wrong: a blocked loop, an error
  kWarning,   // what may be wrong: overdue timers, gaps
  kGood,      // an idle loop
  kName,      // tasks, threads and the program's own functions
  kLocation,  // file:line of the program's own code
  kDim,       // frames of libraries, labels
};

class Style {
 public:
  Style() = default;
  explicit Style(bool colour) : colour_(colour) {}

  [[nodiscard]] bool has_colour() const { return colour_; }

  // `text` must be escaped already: it is wrapped, not inspected.
  [[nodiscard]] std::string paint(Role role, std::string_view text) const;

 private:
  bool colour_ = false;
};

}  // namespace asyncspy
