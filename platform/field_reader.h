// Takes a line of procfs apart, field by field. A field that is not as expected leaves `ok` false for good.
#pragma once

#include <charconv>
#include <cstddef>
#include <string_view>

namespace asyncspy {

class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  // The next word, after any spaces and tabs.
  std::string_view word() {
    skip_spaces();
    const std::size_t end = rest_.find_first_of(" \t\n");
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(found.size());
    if (found.empty()) ok_ = false;
    return found;
  }

  void skip_words(int count) {
    for (int i = 0; i < count; ++i) word();
  }

  // The next word as a number, in all its characters. A leading "0x" is accepted with base 16.
  template <class T>
  T number(int base = 10) {
    return parse<T>(word(), base);
  }

  // The characters up to `separator` (or the end), as a number; the separator is consumed.
  template <class T>
  T number_until(char separator, int base = 10) {
    skip_spaces();
    const std::size_t end = rest_.find(separator);
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return parse<T>(found, base);
  }

  void skip_spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  template <class T>
  T parse(std::string_view found, int base) {
    if (base == 16 && found.starts_with("0x")) found.remove_prefix(2);
    T value{};
    const auto [end, error] = std::from_chars(found.data(), found.data() + found.size(), value, base);
    if (error != std::errc{} || end != found.data() + found.size()) {
      ok_ = false;
      return T{};
    }
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

// Calls `use(line)` for each line of `text`, without its newline.
template <class Use>
void for_each_line(std::string_view text, Use use) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    use(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

}  // namespace asyncspy
