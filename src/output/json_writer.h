// Writes JSON as a stream: commas, escapes and nothing else. What is written is the caller's business, including
// that keys and brackets match.
//
// Always valid UTF-8: bytes that are no UTF-8 come out as the four characters \xff. Characters that act on a terminal
// are written as \u escapes, which mean the same to a parser and are harmless to `cat`.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "address.h"
#include "sink.h"

namespace asyncspy {

class JsonWriter {
 public:
  explicit JsonWriter(Sink& sink) : sink_(sink) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  void key(std::string_view name);  // a literal of ours

  // The next item starts on its own line: layout only.
  void break_line() { break_next_ = true; }

  void null();
  void value(bool value);
  void value(double value);             // null when not finite
  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(Address address);          // null when null
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  void value(T number) {
    if constexpr (std::signed_integral<T>) {
      signed_number(number);
    } else {
      unsigned_number(number);
    }
  }
  template <class T>
  void value(const std::optional<T>& optional) {
    if (optional) {
      value(*optional);
    } else {
      null();
    }
  }

  // An address that identifies something: never null.
  void identity(Address address);

  template <class T>
  void field(std::string_view name, const T& content) {
    key(name);
    value(content);
  }

  // A time that may be infinite, as the deadline of sleep(inf) is: then null, with a word for it in "not_finite".
  void time(std::string_view name, const std::optional<double>& seconds);

  // Hands what is buffered to the sink. False when the sink takes no more.
  bool flush();

 private:
  void open(char bracket);
  void close(char bracket);
  void before_item();
  void after_item();
  void signed_number(std::int64_t number);
  void unsigned_number(std::uint64_t number);
  void append_unit(std::uint32_t unit);

  static constexpr std::size_t kBufferSize = 1 << 16;

  Sink& sink_;
  std::string buffer_;
  bool need_comma_ = false;
  bool after_key_ = false;
  bool break_next_ = false;
  bool usable_ = true;
};

}  // namespace asyncspy
