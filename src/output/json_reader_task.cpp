// Tasks, their frames and what they wait for, out of JSON.
#include "json_reader_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

OnFuture read_on_future(JsonObject& object) {
  OnFuture wait;
  wait.future = object.identity("future");
  wait.type = object.text("type");
  wait.state = object.text("state");
  wait.inferred = object.text_if("inferred").value_or("");
  wait.descriptor = object.integer_if<std::int32_t>("descriptor").value_or(-1);
  return wait;
}

OnTimer read_on_timer(JsonObject& object) {
  OnTimer wait;
  wait.deadline = read_time(object, "deadline").value_or(0);
  wait.remaining = object.number_if("remaining_seconds");
  return wait;
}

OnPrimitive read_on_primitive(JsonObject& object) {
  OnPrimitive wait;
  wait.kind = object.text("primitive");
  wait.type = object.text("type");
  wait.operation = object.text("operation");
  wait.object = object.address("object");
  return wait;
}

OnMany read_on_many(JsonObject& object) {
  OnMany wait;
  wait.construct = object.text("construct");
  wait.tasks = object.identities("tasks");
  wait.pending = object.count("pending");
  wait.total = object.count("total");
  if (object.has("jobs")) wait.jobs = object.identities("jobs");
  wait.failed = object.count_if("failed").value_or(0);
  wait.failure = object.text_if("failure").value_or("");
  if (object.has("group")) wait.group = object.address("group");
  return wait;
}

FrameLocals read_locals(JsonObject& object) {
  static const std::vector kKinds{VariableKind::kArgument, VariableKind::kLocal, VariableKind::kClosure};
  FrameLocals locals;
  object.objects("variables", [&](JsonObject& each) {
    Variable variable;
    variable.name = each.text("name");
    variable.value = each.text("value");
    variable.kind = read_word(each, "kind", kKinds);
    locals.variables.push_back(std::move(variable));
  });
  locals.left_out = object.integer<std::uint32_t>("left_out");
  locals.gap = object.text_if("gap").value_or("");
  return locals;
}

Frame read_frame(JsonObject& object, FrameTables& tables) {
  static const std::vector kKinds{FrameKind::kFunction, FrameKind::kCoroutine, FrameKind::kGenerator, FrameKind::kAsyncGenerator,
                                  FrameKind::kOpaque};
  Frame frame;
  Function function;
  function.qualified_name = object.text("function");
  function.name = object.text("name");
  function.file = object.text("file");
  function.first_line = object.integer<int>("first_line");
  frame.line = object.integer_if<std::int32_t>("line").value_or(0);
  frame.kind = read_word(object, "kind", kKinds);
  if (const auto type = object.text_if("type")) frame.type_name = tables.add_name(*type);
  frame.running = object.flag("running");
  frame.object = object.address("object");
  object.object_if("locals", [&](JsonObject& locals) { frame.locals = tables.add_locals(read_locals(locals)); });
  if (frame.kind == FrameKind::kOpaque) {
    if (!function.qualified_name.empty()) frame.name = tables.add_name(function.qualified_name);
  } else if (!function.qualified_name.empty() || !function.name.empty() || !function.file.empty()) {
    frame.function = tables.add_function(std::move(function));
  }
  return frame;
}

}  // namespace

FunctionIndex FrameTables::add_function(Function function) {
  std::string key = function.qualified_name + '\0' + function.name + '\0' + function.file + '\0' + std::to_string(function.first_line);
  const auto [known, added] = functions_.emplace(std::move(key), static_cast<FunctionIndex>(report_.functions.size()));
  if (added) report_.functions.push_back(std::move(function));
  return known->second;
}

std::uint32_t FrameTables::add_name(const std::string& name) {
  const auto [known, added] = names_.emplace(name, static_cast<std::uint32_t>(report_.names.size()));
  if (added) report_.names.push_back(name);
  return known->second;
}

std::uint32_t FrameTables::add_locals(FrameLocals locals) {
  report_.locals.push_back(std::move(locals));
  return static_cast<std::uint32_t>(report_.locals.size() - 1);
}

std::uint32_t FrameTables::add_facts(TaskFacts facts) {
  report_.facts.push_back(std::move(facts));
  return static_cast<std::uint32_t>(report_.facts.size() - 1);
}

std::vector<Frame> read_stack(JsonObject& object, FrameTables& tables) {
  std::vector<Frame> stack;
  object.objects("stack", [&](JsonObject& frame) { stack.push_back(read_frame(frame, tables)); });
  return stack;
}

Wait read_wait(JsonObject& object) {
  static_assert(std::variant_size_v<Wait> == 12, "a new kind of wait must be read here, too");
  const std::string kind = object.text("kind");
  if (kind == "unknown") return Unknown{object.text("why")};
  if (kind == "done") return Done{};
  if (kind == "running") return Running{};
  if (kind == "ready") return Ready{object.text("reason")};
  if (kind == "task") return OnTask{object.identity("task"), object.text_if("construct").value_or("await")};
  if (kind == "future") return read_on_future(object);
  if (kind == "timer") return read_on_timer(object);
  if (kind == "primitive") return read_on_primitive(object);
  if (kind == "descriptor") return OnDescriptor{object.integer<int>("descriptor"), object.text_if("operation").value_or("")};
  if (kind == "many") return read_on_many(object);
  if (kind == "job") return OnJob{object.identity("job")};
  if (kind == "process") return OnProcess{object.integer<int>("pid"), object.text("operation"), object.integer_if<int>("exit_status")};
  object.ignore_the_rest();
  object.problems().add_unknown(object.path() + ".kind '" + kind + "'");
  return Unknown{"a newer asyncspy calls it '" + kind + "'"};
}

Task read_task(JsonObject& object, FrameTables& tables) {
  static const std::vector kStates{TaskState::kPending, TaskState::kCancelled, TaskState::kFinished, TaskState::kUnknown};
  Task task;
  task.id = object.identity("id");
  task.name = object.text("name");
  task.state = read_word(object, "state", kStates);
  task.running = object.flag("running");
  task.must_cancel = object.flag_if("must_cancel");
  task.cancel_requests = object.integer_if<int>("cancel_requests");
  task.type = object.text("type");
  task.loop = read_index(object, "loop");
  task.stack = read_stack(object, tables);
  task.awaited = object.address("awaited");
  task.callbacks = object.integer<std::uint32_t>("callbacks");
  object.object("wait", [&](JsonObject& wait) { task.wait = read_wait(wait); });
  object.object_if("deadline", [&](JsonObject& deadline) {
    task.deadline.emplace();
    task.deadline->when = read_time(deadline, "when").value_or(0);
    task.deadline->remaining = deadline.number_if("remaining_seconds");
    task.deadline->construct = deadline.text("construct");
  });
  object.object_if("facts", [&](JsonObject& facts) { task.facts = tables.add_facts(read_facts(facts, tables)); });
  task.waiting_at_least = object.number_if("waiting_at_least_seconds");
  task.gaps = read_gaps(object);
  return task;
}

}  // namespace asyncspy
