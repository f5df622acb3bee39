// What `asyncspy watch` saw around a report, out of JSON.
#include "json_reader_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

LightFrame read_frame(JsonObject& object) {
  LightFrame frame;
  frame.function = object.text("function");
  frame.file = object.text("file");
  frame.line = object.integer_if<int>("line").value_or(0);
  return frame;
}

IncidentSample read_sample(JsonObject& object) {
  static const std::vector kStates{LoopState::kUnknown, LoopState::kNotRunning, LoopState::kIdle, LoopState::kRunning, LoopState::kBlocked};
  IncidentSample sample;
  sample.seconds = object.number("seconds");
  LightLoop& loop = sample.loop;
  loop.id = object.address("loop");
  loop.state = read_word(object, "state", kStates);
  loop.task = object.address("task");
  loop.callback = object.text("callback");
  loop.ready = object.count_if("ready");
  loop.late = object.number_if("late");
  loop.call = object.text("call");
  object.objects("stack", [&](JsonObject& each) { loop.stack.push_back(read_frame(each)); });
  return sample;
}

}  // namespace

Incident read_incident(JsonObject& object) {
  static const std::vector kTriggers{IncidentTrigger::kStall,   IncidentTrigger::kLag,    IncidentTrigger::kPending, IncidentTrigger::kGrowth,
                                     IncidentTrigger::kFinding, IncidentTrigger::kSignal, IncidentTrigger::kRequest};
  Incident incident;
  incident.id = object.count("id");
  incident.trigger = read_word(object, "trigger", kTriggers);
  const auto detected = parse_instant(object.text("detected"));
  if (!detected) object.fail("detected", "is no time of the form 2026-11-20T09:20:00.123456Z");
  incident.detected_ns = detected.value_or(0);
  incident.loop = object.address("loop");
  incident.seconds = object.number_if("seconds");
  object.object_if("culprit", [&](JsonObject& each) { incident.culprit = read_frame(each); });
  incident.task = object.address("task");
  incident.cause = object.text("cause");
  object.objects("samples", [&](JsonObject& each) { incident.samples.push_back(read_sample(each)); });
  return incident;
}

}  // namespace asyncspy
