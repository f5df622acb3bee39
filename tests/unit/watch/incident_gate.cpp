#include "incident_gate.h"

#include "catch.h"

namespace asyncspy {
namespace {

Incident make(const std::string& cause, IncidentTrigger trigger = IncidentTrigger::kStall) {
  Incident incident;
  incident.trigger = trigger;
  incident.cause = cause;
  return incident;
}

}  // namespace

TEST_CASE("the same cause gets one file for a while, also in another worker") {
  WatchSettings settings;
  settings.same_cause = 100;
  settings.files_a_minute = 0;
  IncidentGate gate(settings);
  CHECK(!gate.refuse(0, 1, "server", make("a")));
  CHECK(gate.refuse(1, 1, "server", make("a")) == "same_cause");
  CHECK(gate.refuse(1, 2, "server", make("a")) == "same_cause");
  CHECK(!gate.refuse(1, 3, "other", make("a")));
  CHECK(!gate.refuse(1, 1, "server", make("b")));
  CHECK(gate.refuse(99, 1, "server", make("a")) == "same_cause");
  CHECK(!gate.refuse(100, 1, "server", make("a")));
  CHECK(gate.refuse(101, 1, "server", make("a")) == "same_cause");
}

TEST_CASE("each process gets so many files a minute") {
  WatchSettings settings;
  settings.same_cause = 0;
  settings.files_a_minute = 2;
  IncidentGate gate(settings);
  CHECK(!gate.refuse(0, 1, "server", make("a")));
  CHECK(!gate.refuse(30, 1, "server", make("a")));
  CHECK(gate.refuse(59, 1, "server", make("a")) == "rate");
  CHECK(!gate.refuse(59, 2, "server", make("a")));
  CHECK(!gate.refuse(60, 1, "server", make("a")));
  CHECK(gate.refuse(61, 1, "server", make("a")) == "rate");
}

TEST_CASE("what was refused for its rate is no cause that is known") {
  WatchSettings settings;
  settings.same_cause = 1000;
  settings.files_a_minute = 1;
  IncidentGate gate(settings);
  CHECK(!gate.refuse(0, 1, "server", make("a")));
  CHECK(gate.refuse(1, 1, "server", make("b")) == "rate");
  CHECK(!gate.refuse(61, 1, "server", make("b")));
}

TEST_CASE("what somebody asks for is never refused") {
  WatchSettings settings;
  settings.files_a_minute = 1;
  IncidentGate gate(settings);
  for (int i = 0; i < 5; ++i) CHECK(!gate.refuse(i, 1, "server", make("signal", IncidentTrigger::kSignal)));
  CHECK(!gate.refuse(6, 1, "server", make("a")));
}

}  // namespace asyncspy
