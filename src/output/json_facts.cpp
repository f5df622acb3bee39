// What is known of few tasks, as JSON.
#include "json_parts.h"

namespace asyncspy {
namespace {

void put_places(JsonWriter& json, std::string_view key, const Report& report, const std::vector<SourcePlace>& places) {
  const auto name = [&](std::uint32_t index) { return index < report.names.size() ? std::string_view(report.names[index]) : std::string_view(); };
  json.key(key);
  json.begin_array();
  for (const SourcePlace& place : places) {
    json.begin_object();
    json.field("function", name(place.function));
    json.field("file", name(place.file));
    json.key("line");
    if (place.line > 0) {
      json.value(place.line);
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array();
}

void put_outcome(JsonWriter& json, const Report& report, const std::optional<Outcome>& outcome) {
  json.key("outcome");
  if (!outcome) return json.null();
  json.begin_object();
  json.field("kind", outcome->is_exception ? "exception" : "result");
  json.field("text", outcome->text);
  json.field("never_retrieved", outcome->never_retrieved);
  json.field("held", outcome->held);
  put_places(json, "raised_at", report, outcome->raised_at);
  json.end_object();
}

}  // namespace

void put_facts(JsonWriter& json, const Report& report, const TaskFacts* facts) {
  json.key("facts");
  if (facts == nullptr) return json.null();
  json.begin_object();
  put_places(json, "created_at", report, facts->created_at);
  put_places(json, "coroutine_origin", report, facts->coroutine_origin);
  json.key("context");
  json.begin_array();
  for (const ContextValue& value : facts->context) {
    json.begin_object();
    json.field("name", value.name);
    json.field("value", value.value);
    json.end_object();
  }
  json.end_array();
  json.key("handling");
  json.begin_array();
  for (const HandledException& handled : facts->handling) {
    json.begin_object();
    json.field("frame", handled.frame);
    json.field("exception", handled.text);
    json.field("is_cancellation", handled.is_cancellation);
    json.end_object();
  }
  json.end_array();
  put_outcome(json, report, facts->outcome);
  json.key("abandoned");
  if (facts->abandoned) {
    json.begin_object();
    json.field("construct", facts->abandoned->construct);
    json.field("was_cancelled", facts->abandoned->was_cancelled);
    json.field("error", facts->abandoned->error);
    json.end_object();
  } else {
    json.null();
  }
  json.field("unreachable", facts->unreachable);
  json.end_object();
}

}  // namespace asyncspy
