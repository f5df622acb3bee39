// What `asyncspy watch` saw around a report, as JSON.
#include "json_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

void put_frame(JsonWriter& json, const LightFrame& frame) {
  json.begin_object();
  json.field("function", frame.function);
  json.field("file", frame.file);
  json.field("line", frame.line > 0 ? std::optional(frame.line) : std::nullopt);
  json.end_object();
}

void put_sample(JsonWriter& json, const IncidentSample& sample) {
  const LightLoop& loop = sample.loop;
  json.begin_object();
  json.field("seconds", sample.seconds);
  json.field("loop", loop.id);
  json.field("state", to_word(loop.state));
  json.field("task", loop.task);
  json.field("callback", loop.callback);
  json.field("ready", loop.ready);
  json.field("late", loop.late);
  json.field("call", loop.call);
  json.key("stack");
  json.begin_array();
  for (const LightFrame& frame : loop.stack) put_frame(json, frame);
  json.end_array();
  json.end_object();
}

}  // namespace

void put_incident_facts(JsonWriter& json, const Incident& incident) {
  json.field("id", incident.id);
  json.field("trigger", to_word(incident.trigger));
  json.field("detected", format_instant(incident.detected_ns));
  json.field("loop", incident.loop);
  json.field("seconds", incident.seconds);
  json.key("culprit");
  if (incident.culprit) {
    put_frame(json, *incident.culprit);
  } else {
    json.null();
  }
  json.field("task", incident.task);
  json.field("cause", incident.cause);
}

void put_incident(JsonWriter& json, const Incident& incident) {
  json.begin_object();
  put_incident_facts(json, incident);
  json.key("samples");
  json.begin_array();
  for (const IncidentSample& sample : incident.samples) {
    json.break_line();
    put_sample(json, sample);
  }
  json.end_array();
  json.end_object();
}

}  // namespace asyncspy
