#include "event_log.h"

#include <chrono>

#include "words.h"

namespace asyncspy {

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void EventLog::begin(JsonWriter& json, std::string_view event) {
  json.begin_object();
  json.field("time", format_instant(wall_clock_ns()));
  json.field("event", event);
}

}  // namespace asyncspy
