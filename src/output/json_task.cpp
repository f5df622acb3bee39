// Tasks, their frames and what they wait for, as JSON.
#include "json_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

// Writes the fields of one alternative of Wait, "kind" first.
struct WaitFields {
  JsonWriter& json;

  void operator()(const Unknown& wait) const {
    json.field("kind", "unknown");
    json.field("why", wait.why);
  }
  void operator()(const Done&) const { json.field("kind", "done"); }
  void operator()(const Running&) const { json.field("kind", "running"); }
  void operator()(const Ready& wait) const {
    json.field("kind", "ready");
    json.field("reason", wait.reason);
  }
  void operator()(const OnTask& wait) const {
    json.field("kind", "task");
    json.key("task");
    json.identity(wait.task);
    json.field("construct", wait.construct);
  }
  void operator()(const OnFuture& wait) const {
    json.field("kind", "future");
    json.key("future");
    json.identity(wait.future);
    json.field("type", wait.type);
    json.field("state", wait.state);
    json.key("inferred");
    if (wait.inferred.empty()) {
      json.null();
    } else {
      json.value(wait.inferred);
    }
    put_descriptor_number(json, "descriptor", wait.descriptor);
  }
  void operator()(const OnTimer& wait) const {
    json.field("kind", "timer");
    json.time("deadline", wait.deadline);
    json.field("remaining_seconds", wait.remaining);
  }
  void operator()(const OnPrimitive& wait) const {
    json.field("kind", "primitive");
    json.field("primitive", wait.kind);
    json.field("type", wait.type);
    json.field("operation", wait.operation);
    json.field("object", wait.object);
  }
  void operator()(const OnDescriptor& wait) const {
    json.field("kind", "descriptor");
    json.field("descriptor", wait.descriptor);
    json.field("operation", wait.operation);
  }
  void operator()(const OnJob& wait) const {
    json.field("kind", "job");
    json.key("job");
    json.identity(wait.job);
  }
  void operator()(const OnProcess& wait) const {
    json.field("kind", "process");
    json.field("pid", wait.pid);
    json.field("operation", wait.operation);
    json.field("exit_status", wait.exit_status);
  }
  void operator()(const OnMany& wait) const {
    json.field("kind", "many");
    json.field("construct", wait.construct);
    put_addresses(json, "tasks", wait.tasks);
    json.field("pending", wait.pending);
    json.field("total", wait.total);
    put_addresses(json, "jobs", wait.jobs);
    json.field("failed", wait.failed);
    json.field("failure", wait.failure.empty() ? std::nullopt : std::optional(std::string_view(wait.failure)));
    json.field("group", wait.group);
  }
};

void put_locals(JsonWriter& json, const FrameLocals& locals) {
  json.key("locals");
  json.begin_object();
  json.key("variables");
  json.begin_array();
  for (const Variable& variable : locals.variables) {
    json.begin_object();
    json.field("name", variable.name);
    json.field("value", variable.value);
    json.field("kind", to_word(variable.kind));
    json.end_object();
  }
  json.end_array();
  json.field("left_out", locals.left_out);
  json.key("gap");
  if (locals.gap.empty()) {
    json.null();
  } else {
    json.value(locals.gap);
  }
  json.end_object();
}

void put_frame(JsonWriter& json, const Report& report, const Frame& frame) {
  static const Function kNothing;
  const Function& function = frame.function < report.functions.size() ? report.functions[frame.function] : kNothing;
  json.begin_object();
  json.field("function", frame.name < report.names.size() ? report.names[frame.name] : function.qualified_name);
  json.field("name", function.name);
  json.field("file", function.file);
  json.key("line");
  if (frame.line > 0) {
    json.value(frame.line);
  } else {
    json.null();
  }
  json.field("first_line", function.first_line);
  json.field("kind", to_word(frame.kind));
  json.key("type");
  if (frame.type_name < report.names.size()) {
    json.value(report.names[frame.type_name]);
  } else {
    json.null();
  }
  json.field("running", frame.running);
  json.field("object", frame.object);
  if (frame.locals < report.locals.size()) put_locals(json, report.locals[frame.locals]);
  json.end_object();
}

}  // namespace

void put_stack(JsonWriter& json, const Report& report, const std::vector<Frame>& stack) {
  json.key("stack");
  json.begin_array();
  for (const Frame& frame : stack) put_frame(json, report, frame);
  json.end_array();
}

void put_task(JsonWriter& json, const Report& report, const Task& task) {
  json.begin_object();
  json.key("id");
  json.identity(task.id);
  json.field("name", task.name);
  json.field("state", to_word(task.state));
  json.field("running", task.running);
  json.field("must_cancel", task.must_cancel);
  json.field("cancel_requests", task.cancel_requests);
  json.field("type", task.type);
  put_index(json, "loop", task.loop, report.loops.size());
  put_stack(json, report, task.stack);
  json.field("awaited", task.awaited);
  json.field("callbacks", task.callbacks);
  json.key("wait");
  json.begin_object();
  std::visit(WaitFields{json}, task.wait);
  json.end_object();
  put_deadline(json, task.deadline);
  put_facts(json, report, report.facts_of(task));
  json.field("waiting_at_least_seconds", task.waiting_at_least);
  put_gaps(json, task.gaps);
  json.end_object();
}

void put_group(JsonWriter& json, const Report& report, const TaskGroup& group) {
  json.begin_object();
  json.field("count", group.tasks.size());
  json.key("tasks");
  json.begin_array();
  for (std::uint32_t index : group.tasks) {
    if (index < report.tasks.size()) json.identity(report.tasks[index].id);
  }
  json.end_array();
  json.end_object();
}

}  // namespace asyncspy
