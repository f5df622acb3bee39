// Where rendered output goes, piece by piece, so that a report of a million tasks is never one string.
#pragma once

#include <string>
#include <string_view>

namespace asyncspy {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // False: nothing can be written any more (the reason is the sink's to tell) and rendering may stop.
  virtual bool write(std::string_view text) = 0;
};

class StringSink final : public Sink {
 public:
  bool write(std::string_view text) override {
    text_ += text;
    return true;
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace asyncspy
