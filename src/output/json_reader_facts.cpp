// What is known of few tasks, out of JSON.
#include "json_reader_parts.h"

namespace asyncspy {
namespace {

std::vector<SourcePlace> read_places(JsonObject& object, std::string_view name, FrameTables& tables) {
  std::vector<SourcePlace> places;
  object.objects(name, [&](JsonObject& each) {
    SourcePlace place;
    place.function = tables.add_name(each.text("function"));
    place.file = tables.add_name(each.text("file"));
    place.line = each.integer_if<std::int32_t>("line").value_or(0);
    places.push_back(place);
  });
  return places;
}

Outcome read_outcome(JsonObject& object, FrameTables& tables) {
  Outcome outcome;
  outcome.is_exception = object.choice("kind", {"result", "exception"}) == 1;
  outcome.text = object.text("text");
  outcome.never_retrieved = object.flag("never_retrieved");
  outcome.held = object.flag_if("held").value_or(false);
  outcome.raised_at = read_places(object, "raised_at", tables);
  return outcome;
}

}  // namespace

TaskFacts read_facts(JsonObject& object, FrameTables& tables) {
  TaskFacts facts;
  facts.created_at = read_places(object, "created_at", tables);
  facts.coroutine_origin = read_places(object, "coroutine_origin", tables);
  object.objects("context", [&](JsonObject& each) {
    ContextValue value;
    value.name = each.text("name");
    value.value = each.text("value");
    facts.context.push_back(std::move(value));
  });
  object.objects("handling", [&](JsonObject& each) {
    HandledException handled;
    handled.frame = each.integer<std::uint32_t>("frame");
    handled.text = each.text("exception");
    handled.is_cancellation = each.flag("is_cancellation");
    facts.handling.push_back(std::move(handled));
  });
  object.object_if("outcome", [&](JsonObject& outcome) { facts.outcome = read_outcome(outcome, tables); });
  object.object_if("abandoned", [&](JsonObject& each) {
    facts.abandoned = Abandonment{each.text("construct"), each.flag("was_cancelled"), each.text("error")};
  });
  facts.unreachable = object.flag_if("unreachable").value_or(false);
  return facts;
}

}  // namespace asyncspy
