// What happens, as one JSON object a line on standard output.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "json_writer.h"

namespace asyncspy {

class EventLog {
 public:
  // `write` puts one whole line somewhere.
  explicit EventLog(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

  // `put` adds the members after time and event.
  template <class Put>
  void say(std::string_view event, Put put) const {
    StringSink sink;
    JsonWriter json(sink);
    begin(json, event);
    put(json);
    json.end_object();
    json.flush();
    write_(sink.take() + "\n");
  }

 private:
  static void begin(JsonWriter& json, std::string_view event);

  std::function<void(std::string_view)> write_;
};

// Unix time in nanoseconds.
[[nodiscard]] std::int64_t wall_clock_ns();

}  // namespace asyncspy
