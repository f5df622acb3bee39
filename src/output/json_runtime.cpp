// Threads and loops as JSON.
#include "json_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

void put_system_call(JsonWriter& json, const std::optional<SystemCallReport>& call) {
  json.key("system_call");
  if (!call) return json.null();
  json.begin_object();
  json.field("name", call->name);
  json.field("text", call->text);
  json.key("descriptor");
  if (call->descriptor) {
    put_descriptor(json, *call->descriptor);
  } else {
    json.null();
  }
  json.field("remaining_seconds", call->remaining_seconds);
  json.field("object", call->object);
  json.end_object();
}

void put_late(JsonWriter& json, const std::optional<Lateness>& late) {
  json.key("late");
  if (!late) return json.null();
  json.begin_object();
  json.field("seconds", late->seconds);
  json.field("evidence", late->evidence);
  json.end_object();
}

void put_timer(JsonWriter& json, const Report& report, const Timer& timer, std::optional<double> now) {
  json.begin_object();
  json.key("handle");
  json.identity(timer.handle);
  json.time("deadline", timer.deadline);
  json.field("remaining_seconds", timer.deadline && now ? std::optional(*timer.deadline - *now) : std::nullopt);
  json.field("cancelled", timer.cancelled);
  json.field("callback", timer.callback < report.names.size() ? std::string_view(report.names[timer.callback]) : std::string_view{});
  json.end_object();
}

void put_native_call(JsonWriter& json, const NativeCall& call) {
  json.begin_object();
  json.field("function", call.frame.function.empty() ? std::nullopt : std::optional<std::string_view>(call.frame.function));
  json.field("module", call.frame.module.empty() ? std::nullopt : std::optional<std::string_view>(call.frame.module));
  json.field("offset", call.frame.offset);
  json.key("instruction");
  json.identity(call.frame.instruction);
  json.field("signal_frame", call.frame.is_signal_frame);
  json.field("runs_python", call.runs_python);
  json.field("python_frames", call.python_frames);
  json.end_object();
}

// Only where native stacks were asked for.
void put_native(JsonWriter& json, const std::optional<NativeCalls>& native) {
  if (!native) return;
  json.key("native");
  json.begin_object();
  json.key("calls");
  json.begin_array();
  for (const NativeCall& call : native->calls) put_native_call(json, call);
  json.end_array();
  json.field("problem", native->problem.empty() ? std::nullopt : std::optional<std::string_view>(native->problem));
  json.field("apart", native->apart.empty() ? std::nullopt : std::optional<std::string_view>(native->apart));
  json.end_object();
}

}  // namespace

void put_thread(JsonWriter& json, const Report& report, const Thread& thread) {
  json.begin_object();
  json.field("tid", thread.tid);
  json.field("namespace_tid", thread.namespace_tid);
  json.field("name", thread.name);
  json.field("state", std::string_view(&thread.state, 1));
  json.field("on_cpu", thread.on_cpu);
  json.key("cpu_seconds");
  if (thread.cpu_seconds == 0 && report.capture.mode == CaptureMode::kCore) {
    json.null();
  } else {
    json.value(thread.cpu_seconds);
  }
  put_system_call(json, thread.system_call);
  json.field("has_python", thread.has_python);
  json.field("python_thread", thread.python_thread);
  json.field("interpreter", thread.interpreter);
  json.field("holds_gil", thread.holds_gil);
  json.field("waits_for_gil", thread.waits_for_gil);
  put_index(json, "loop", thread.loop, report.loops.size());
  json.field("awaited_job", thread.awaited_job);
  json.field("awaited_task", thread.awaited_task);
  put_index(json, "awaited_loop", thread.awaited_loop, report.loops.size());
  put_stack(json, report, thread.stack);
  put_native(json, thread.native);
  put_gaps(json, thread.gaps);
  json.end_object();
}

void put_loop(JsonWriter& json, const Report& report, const Loop& loop) {
  json.begin_object();
  json.key("id");
  json.identity(loop.id);
  json.field("type", loop.type);
  put_index(json, "thread", loop.thread, report.threads.size());
  json.field("state", to_word(loop.state));
  json.field("current_task", loop.current_task);
  json.key("current_callback");
  if (loop.current_callback.empty()) {
    json.null();
  } else {
    json.value(loop.current_callback);
  }
  put_late(json, loop.late);
  json.field("ready", loop.ready);
  json.key("timers");
  json.begin_array();
  const std::optional<double> now = report.capture.loop_time();
  for (const Timer& timer : loop.timers) put_timer(json, report, timer, now);
  json.end_array();
  json.key("descriptors");
  json.begin_array();
  for (int number : loop.descriptors) json.value(number);
  json.end_array();
  json.field("debug", loop.debug);
  put_gaps(json, loop.gaps);
  json.end_object();
}

}  // namespace asyncspy
