// What tasks wait for, other than tasks, out of JSON, and findings and gaps.
#include <nlohmann/json.hpp>

#include "json_reader_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

Fact read_fact(JsonObject& object) {
  Fact fact;
  fact.name = object.text("name");
  const nlohmann::json* value = object.find("value");
  if (value == nullptr) {
    object.fail("value", "is missing");
  } else if (value->is_boolean()) {
    fact.value = value->get<bool>();
  } else if (value->is_string()) {
    fact.value = value->get<std::string>();
  } else if (value->is_number_integer()) {
    fact.value = object.integer<std::int64_t>("value");
  } else {
    fact.value = object.number("value");
  }
  return fact;
}

Holder read_holder(JsonObject& object) {
  Holder holder;
  holder.task = object.identity("task");
  holder.how = object.text("how");
  holder.certain = object.flag("certain");
  return holder;
}

}  // namespace

std::vector<Gap> read_gaps(JsonObject& object) {
  std::vector<Gap> gaps;
  object.objects("gaps", [&](JsonObject& each) {
    Gap gap;
    gap.reading = each.text("reading");
    gap.reason = each.text("reason");
    gap.at = each.address("at");
    gaps.push_back(std::move(gap));
  });
  return gaps;
}

Primitive read_primitive(JsonObject& object) {
  Primitive primitive;
  primitive.id = object.identity("id");
  primitive.kind = object.text("kind");
  primitive.type = object.text("type");
  object.objects("facts", [&](JsonObject& fact) { primitive.facts.push_back(read_fact(fact)); });
  primitive.waiters = object.identities("waiters");
  primitive.strange_waiters = object.count("strange_waiters");
  object.objects("holders", [&](JsonObject& holder) { primitive.holders.push_back(read_holder(holder)); });
  primitive.lock = object.address("lock");
  primitive.descriptor = object.integer_if<std::int32_t>("descriptor").value_or(-1);
  primitive.gaps = read_gaps(object);
  return primitive;
}

Job read_job(JsonObject& object) {
  static const std::vector kStates{JobState::kUnknown, JobState::kQueued, JobState::kRunning, JobState::kDone};
  Job job;
  job.id = object.identity("id");
  job.state = read_word(object, "state", kStates);
  job.function = object.text_if("function").value_or("");
  job.thread = read_index(object, "thread");
  job.executor = object.address("executor");
  job.executor_type = object.text_if("executor_type").value_or("");
  job.ahead = object.count_if("ahead");
  job.queued = object.count_if("queued");
  job.workers = object.count_if("workers");
  job.busy = object.count_if("busy");
  return job;
}

ChildProcess read_child(JsonObject& object) {
  ChildProcess child;
  child.pid = object.integer<int>("pid");
  child.namespace_pid = object.integer_if<int>("namespace_pid").value_or(0);
  child.state = object.letter("state");
  child.name = object.text("name");
  child.command = object.text("command");
  return child;
}

LiveObjects read_objects(JsonObject& object) {
  static const std::vector kKinds{LiveKind::kCoroutine, LiveKind::kAsyncGenerator, LiveKind::kInstance};
  LiveObjects objects;
  objects.kind = read_word(object, "kind", kKinds);
  objects.name = object.text("name");
  objects.file = object.text("file");
  objects.line = object.integer_if<int>("line").value_or(0);
  objects.count = object.count("count");
  objects.open = object.count_if("open");
  return objects;
}

Descriptor read_descriptor(JsonObject& object) {
  static const std::vector kKinds{Descriptor::Kind::kFile,  Descriptor::Kind::kPipe,  Descriptor::Kind::kSocket,
                                  Descriptor::Kind::kEvent, Descriptor::Kind::kOther, Descriptor::Kind::kUnknown};
  Descriptor descriptor;
  descriptor.number = object.integer<int>("number");
  descriptor.kind = read_word(object, "kind", kKinds);
  descriptor.path = object.text("path");
  descriptor.protocol = object.text("protocol");
  descriptor.local = object.text("local");
  descriptor.peer = object.text("peer");
  descriptor.tcp_state = object.text("tcp_state");
  descriptor.receive_queue = object.count("receive_queue");
  descriptor.send_queue = object.count("send_queue");
  return descriptor;
}

namespace {

Culprit read_culprit(JsonObject& object) {
  return {object.text("function"), object.text("file"), object.integer_if<int>("line").value_or(0), object.text("call")};
}

}  // namespace

Finding read_finding(JsonObject& object) {
  static const std::vector kSeverities{Severity::kInfo, Severity::kWarning, Severity::kError};
  static const std::vector kConfidences{Confidence::kProven, Confidence::kObserved, Confidence::kSuspected};
  Finding finding;
  finding.rule = object.text("rule");
  finding.severity = read_word(object, "severity", kSeverities);
  finding.confidence = read_word(object, "confidence", kConfidences);
  finding.sentence = object.text("sentence");
  object.object_if("culprit", [&](JsonObject& culprit) { finding.culprit = read_culprit(culprit); });
  finding.at_least_seconds = object.number_if("at_least_seconds");
  finding.tasks = object.identities("tasks");
  finding.threads = object.integers("threads");
  finding.evidence = object.texts("evidence");
  finding.fix = object.text("fix");
  return finding;
}

}  // namespace asyncspy
