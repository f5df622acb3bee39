// What a person types to pick something by its name.
//
// With one of * ? [ in it, a shell's pattern for the whole text; without, any part of the text. Bytes, not characters of
// any locale, and NUL is a byte like any other: names come from the target and hold what they like, so fnmatch() is no use.
#pragma once

#include <string>
#include <string_view>

namespace asyncspy {

class Pattern {
 public:
  explicit Pattern(std::string text);

  [[nodiscard]] bool matches(std::string_view text) const;
  // As matches(), but the text must be the whole one even without wildcards.
  [[nodiscard]] bool matches_whole(std::string_view text) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool wild_;
};

}  // namespace asyncspy
