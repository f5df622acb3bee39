#include "json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "escape.h"

namespace asyncspy {

void JsonWriter::open(char bracket) {
  before_item();
  buffer_ += bracket;
  need_comma_ = false;
}

void JsonWriter::close(char bracket) {
  if (break_next_) buffer_ += '\n';
  break_next_ = false;
  buffer_ += bracket;
  after_item();
}

void JsonWriter::before_item() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (need_comma_) buffer_ += ',';
  if (break_next_) buffer_ += '\n';
  break_next_ = false;
}

void JsonWriter::after_item() {
  need_comma_ = true;
  if (buffer_.size() >= kBufferSize) flush();
}

bool JsonWriter::flush() {
  if (usable_ && !buffer_.empty()) usable_ = sink_.write(buffer_);
  buffer_.clear();
  return usable_;
}

void JsonWriter::key(std::string_view name) {
  before_item();
  buffer_ += '"';
  buffer_ += name;
  buffer_ += "\":";
  after_key_ = true;
}

void JsonWriter::null() {
  before_item();
  buffer_ += "null";
  after_item();
}

void JsonWriter::value(bool value) {
  before_item();
  buffer_ += value ? "true" : "false";
  after_item();
}

void JsonWriter::value(double value) {
  if (!std::isfinite(value)) return null();
  before_item();
  const std::size_t start = buffer_.size();
  fmt::format_to(std::back_inserter(buffer_), "{}", value);
  // It stays a number with a fraction for who reads it again.
  if (buffer_.find_first_of(".e", start) == std::string::npos) buffer_ += ".0";
  after_item();
}

void JsonWriter::time(std::string_view name, const std::optional<double>& seconds) {
  field(name, seconds);
  std::string_view word;
  if (seconds && std::isnan(*seconds)) word = "nan";
  if (seconds && std::isinf(*seconds)) word = *seconds > 0 ? "inf" : "-inf";
  key("not_finite");
  if (word.empty()) {
    null();
  } else {
    value(word);
  }
}

void JsonWriter::signed_number(std::int64_t number) {
  before_item();
  fmt::format_to(std::back_inserter(buffer_), "{}", number);
  after_item();
}

void JsonWriter::unsigned_number(std::uint64_t number) {
  before_item();
  fmt::format_to(std::back_inserter(buffer_), "{}", number);
  after_item();
}

void JsonWriter::value(Address address) {
  if (address.is_null()) return null();
  identity(address);
}

void JsonWriter::identity(Address address) {
  before_item();
  fmt::format_to(std::back_inserter(buffer_), "\"{:#x}\"", address.value());
  after_item();
}

void JsonWriter::append_unit(std::uint32_t unit) {
  fmt::format_to(std::back_inserter(buffer_), "\\u{:04x}", unit);
}

void JsonWriter::value(std::string_view text) {
  before_item();
  buffer_ += '"';
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = read_utf8(text, at);
    const auto code = static_cast<std::uint32_t>(step.code);
    if (!step.valid) {
      fmt::format_to(std::back_inserter(buffer_), "\\\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (code == '"' || code == '\\') {
      buffer_ += '\\';
      buffer_ += static_cast<char>(code);
    } else if (code == '\n') {
      buffer_ += "\\n";
    } else if (!is_dangerous(step.code)) {
      buffer_ += text.substr(at, step.length);
    } else if (code <= 0xFFFF) {
      append_unit(code);
    } else {
      append_unit(0xD800 + ((code - 0x10000) >> 10));
      append_unit(0xDC00 + ((code - 0x10000) & 0x3FF));
    }
    at += step.length;
  }
  buffer_ += '"';
  after_item();
}

}  // namespace asyncspy
