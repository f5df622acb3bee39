// What tasks wait for, other than tasks, as JSON: primitives, jobs of thread pools, child processes, descriptors.
#include <cmath>

#include "json_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

void put_text_or_null(JsonWriter& json, std::string_view key, const std::string& text) {
  json.key(key);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

void put_holder(JsonWriter& json, const Holder& holder) {
  json.begin_object();
  json.key("task");
  json.identity(holder.task);
  json.field("how", holder.how);
  json.field("certain", holder.certain);
  json.end_object();
}

void put_fact(JsonWriter& json, const Fact& fact) {
  json.begin_object();
  json.field("name", fact.name);
  json.key("value");
  const auto* number = std::get_if<double>(&fact.value);
  if (number != nullptr && !std::isfinite(*number)) {
    json.value(std::isnan(*number) ? "nan" : (*number > 0 ? "inf" : "-inf"));  // a limiter may have infinitely many tokens
  } else {
    std::visit([&json](const auto& value) { json.value(value); }, fact.value);
  }
  json.end_object();
}

}  // namespace

void put_primitive(JsonWriter& json, const Primitive& primitive) {
  json.begin_object();
  json.key("id");
  json.identity(primitive.id);
  json.field("kind", primitive.kind);
  json.field("type", primitive.type);
  json.key("facts");
  json.begin_array();
  for (const Fact& fact : primitive.facts) put_fact(json, fact);
  json.end_array();
  put_addresses(json, "waiters", primitive.waiters);
  json.field("strange_waiters", primitive.strange_waiters);
  json.key("holders");
  json.begin_array();
  for (const Holder& holder : primitive.holders) put_holder(json, holder);
  json.end_array();
  json.field("lock", primitive.lock);
  put_descriptor_number(json, "descriptor", primitive.descriptor);
  put_gaps(json, primitive.gaps);
  json.end_object();
}

void put_job(JsonWriter& json, const Report& report, const Job& job) {
  json.begin_object();
  json.key("id");
  json.identity(job.id);
  json.field("state", to_word(job.state));
  put_text_or_null(json, "function", job.function);
  put_index(json, "thread", job.thread, report.threads.size());
  json.field("executor", job.executor);
  put_text_or_null(json, "executor_type", job.executor_type);
  json.field("ahead", job.ahead);
  json.field("queued", job.queued);
  json.field("workers", job.workers);
  json.field("busy", job.busy);
  json.end_object();
}

void put_child(JsonWriter& json, const ChildProcess& child) {
  json.begin_object();
  json.field("pid", child.pid);
  json.field("namespace_pid", child.namespace_pid == 0 ? std::nullopt : std::optional(child.namespace_pid));
  json.field("state", std::string_view(&child.state, 1));
  json.field("name", child.name);
  json.field("command", child.command);
  json.end_object();
}

void put_objects(JsonWriter& json, const LiveObjects& objects) {
  json.begin_object();
  json.field("kind", to_word(objects.kind));
  json.field("name", objects.name);
  json.field("file", objects.file);
  json.field("line", objects.line > 0 ? std::optional(objects.line) : std::nullopt);
  json.field("count", objects.count);
  json.field("open", objects.open);
  json.end_object();
}

void put_descriptor(JsonWriter& json, const Descriptor& descriptor) {
  json.begin_object();
  json.field("number", descriptor.number);
  json.field("kind", to_word(descriptor.kind));
  json.field("path", descriptor.path);
  json.field("protocol", descriptor.protocol);
  json.field("local", descriptor.local);
  json.field("peer", descriptor.peer);
  json.field("tcp_state", descriptor.tcp_state);
  json.field("receive_queue", descriptor.receive_queue);
  json.field("send_queue", descriptor.send_queue);
  json.end_object();
}

void put_descriptor_number(JsonWriter& json, std::string_view key, std::int32_t number) {
  json.field(key, number < 0 ? std::nullopt : std::optional(number));
}

void put_deadline(JsonWriter& json, const std::optional<Deadline>& deadline) {
  json.key("deadline");
  if (!deadline) return json.null();
  json.begin_object();
  json.time("when", deadline->when);
  json.field("remaining_seconds", deadline->remaining);
  json.field("construct", deadline->construct);
  json.end_object();
}

}  // namespace asyncspy
