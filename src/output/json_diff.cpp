// What changed from one report to another, for machines.
#include "diff_report.h"
#include "json_parts.h"
#include "own_code.h"
#include "wait_kind.h"
#include "words.h"

namespace asyncspy {
namespace {

std::string_view to_word(TaskFate fate) {
  switch (fate) {
    case TaskFate::kStill: return "still";
    case TaskFate::kMoved: return "moved";
    case TaskFate::kDone: return "done";
    case TaskFate::kNew: return "new";
    case TaskFate::kGone: break;
  }
  return "gone";
}

constexpr TaskFate kFates[] = {TaskFate::kStill, TaskFate::kMoved, TaskFate::kDone, TaskFate::kNew, TaskFate::kGone};

void put_side(JsonWriter& json, std::string_view key, const Report& report) {
  json.break_line();
  json.key(key);
  json.begin_object();
  const std::int64_t realtime_ns = report.capture.realtime_ns;
  json.field("captured_at", realtime_ns == 0 ? std::nullopt : std::optional(format_instant(realtime_ns)));
  json.field("monotonic_seconds", report.capture.loop_time());
  json.field("pid", report.process.pid);
  json.field("tasks", report.tasks.size());
  json.end_object();
}

// Where a task is: its innermost frame of the program's own code.
void put_place(JsonWriter& json, const Report& report, const Task& task) {
  json.begin_object();
  json.field("state", asyncspy::to_word(task.state));
  json.field("running", task.running);
  const Frame* frame = find_own_frame(report, task.stack);
  const bool known = frame != nullptr && frame->function < report.functions.size();
  json.field("function", frame == nullptr ? std::nullopt : std::optional(std::string(name_of_frame(report, *frame))));
  json.field("file", known ? std::optional(report.functions[frame->function].file) : std::nullopt);
  json.field("line", frame != nullptr && frame->line > 0 ? std::optional(frame->line) : std::nullopt);
  json.field("frames", task.stack.size());
  json.field("wait", asyncspy::to_word(task.wait));
  json.end_object();
}

void put_place_or_null(JsonWriter& json, std::string_view key, const Report& report, std::uint32_t index) {
  json.key(key);
  if (index == kNowhere) return json.null();
  put_place(json, report, report.tasks[index]);
}

void put_change(JsonWriter& json, const Report& before, const Report& after, const TaskChange& change) {
  const Task& task = change.after != kNowhere ? after.tasks[change.after] : before.tasks[change.before];
  json.begin_object();
  json.field("fate", to_word(change.fate));
  json.field("certain", change.certain);
  json.key("id");
  json.identity(task.id);
  json.field("name", task.name);
  put_place_or_null(json, "before", before, change.before);
  put_place_or_null(json, "after", after, change.after);
  json.end_object();
}

void put_loop_side(JsonWriter& json, std::string_view key, const Report& report, std::uint32_t index) {
  json.key(key);
  if (index == kNowhere) return json.null();
  const Loop& loop = report.loops[index];
  json.begin_object();
  json.field("state", asyncspy::to_word(loop.state));
  json.field("late_seconds", loop.late ? std::optional(loop.late->seconds) : std::nullopt);
  json.field("ready", loop.ready);
  json.field("timers", loop.timers.size());
  json.field("current_task", loop.current_task);
  json.end_object();
}

void put_loop_change(JsonWriter& json, const Report& before, const Report& after, const LoopChange& change) {
  const Loop& loop = change.after != kNowhere ? after.loops[change.after] : before.loops[change.before];
  json.begin_object();
  json.key("id");
  json.identity(loop.id);
  json.field("type", loop.type);
  json.field("same_step", change.same_step);
  put_loop_side(json, "before", before, change.before);
  put_loop_side(json, "after", after, change.after);
  json.end_object();
}

void put_group_change(JsonWriter& json, const Report& before, const Report& after, const GroupChange& group) {
  json.begin_object();
  json.field("before", group.before.size());
  json.field("after", group.after.size());
  json.key("place");
  if (group.after.empty()) {
    put_place(json, before, before.tasks[group.before.front()]);
  } else {
    put_place(json, after, after.tasks[group.after.front()]);
  }
  json.end_object();
}

template <class T, class Put>
void put_list(JsonWriter& json, std::string_view key, const std::vector<T>& items, Put put) {
  json.break_line();
  json.key(key);
  json.begin_array();
  for (const T& item : items) {
    json.break_line();
    put(item);
  }
  json.end_array();
}

}  // namespace

bool write_diff_json(const Report& before, const Report& after, const Comparison& comparison, const std::string& tool_version, Sink& sink) {
  JsonWriter json(sink);
  json.begin_object();
  json.field("schema_version", kDiffSchemaVersion);
  json.key("tool");
  put_tool(json, tool_version);
  put_side(json, "before", before);
  put_side(json, "after", after);
  json.break_line();
  json.field("same_process", comparison.same_process);
  json.field("seconds", comparison.seconds);
  json.key("counts");
  json.begin_object();
  for (TaskFate fate : kFates) json.field(to_word(fate), comparison.count(fate));
  json.end_object();
  put_list(json, "loops", comparison.loops, [&](const LoopChange& change) { put_loop_change(json, before, after, change); });
  put_list(json, "groups", comparison.groups, [&](const GroupChange& group) { put_group_change(json, before, after, group); });
  put_list(json, "primitives", comparison.primitives, [&](const PrimitiveChange& change) {
    const Primitive& primitive = after.primitives[change.after];
    json.begin_object();
    json.key("id");
    json.identity(primitive.id);
    json.field("kind", primitive.kind);
    json.field("type", primitive.type);
    json.field("size_before", change.size_before);
    json.field("size_after", change.size_after);
    json.end_object();
  });
  put_list(json, "tasks", comparison.tasks, [&](const TaskChange& change) { put_change(json, before, after, change); });
  json.break_line();
  json.end_object();
  return json.flush() && sink.write("\n");
}

}  // namespace asyncspy
