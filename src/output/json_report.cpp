#include "json_report.h"

#include "json_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

// Writes `"name":[...]` with each element on its own line; stops early when the sink takes no more.
template <class T, class Put>
void put_array(JsonWriter& json, std::string_view name, const std::vector<T>& items, Put put) {
  json.break_line();
  json.key(name);
  json.begin_array();
  bool usable = true;
  for (const T& item : items) {
    json.break_line();
    put(item);
    // A look at the sink now and then is enough: the writer buffers by itself.
    if (&item == &items.back() || (&item - items.data()) % 1024 == 1023) usable = json.flush();
    if (!usable) break;
  }
  json.end_array();
}

void put_key(JsonWriter& json, std::string_view name) {
  json.break_line();
  json.key(name);
}

}  // namespace

void put_tool(JsonWriter& json, std::string_view version) {
  json.begin_object();
  json.field("name", "asyncspy");
  json.field("version", version);
  json.end_object();
}

void put_process(JsonWriter& json, const ProcessFacts& process, CaptureMode mode) {
  const bool is_live = mode != CaptureMode::kCore;
  json.begin_object();
  json.field("pid", process.pid);
  json.field("namespace_pid", process.namespace_pid);
  put_texts(json, "command_line", process.command_line);
  json.field("executable", process.executable);
  json.field("executable_deleted", process.executable_deleted);
  json.field("name", process.name);
  json.field("state", std::string_view(&process.state, 1));
  json.field("tracer_pid", process.tracer_pid == 0 ? std::nullopt : std::optional(process.tracer_pid));
  json.field("forked_from", process.forked_from == 0 ? std::nullopt : std::optional(process.forked_from));
  json.field("user_id", process.user_id);
  json.field("uptime_seconds", is_live ? std::optional(process.uptime_seconds) : std::nullopt);
  json.field("resident_bytes", is_live ? std::optional(process.resident_bytes) : std::nullopt);
  json.field("other_root", process.other_root);
  json.end_object();
}

void put_python(JsonWriter& json, const PythonFacts& python) {
  json.begin_object();
  json.field("version", python.version);
  json.field("hex_version", python.hex_version);
  json.field("library", python.library);
  json.field("interpreters", python.interpreters);
  json.end_object();
}

void put_capture(JsonWriter& json, const CaptureFacts& capture) {
  json.begin_object();
  json.field("mode", to_word(capture.mode));
  json.field("pause_seconds", capture.pause_seconds);
  json.field("stops", capture.stops);
  json.field("bytes_copied", capture.bytes_copied);
  json.field("heap_objects", capture.heap_objects);
  json.field("samples", capture.samples);
  json.field("sampled_seconds", capture.sampled_seconds);
  json.field("monotonic_seconds", capture.loop_time());
  json.end_object();
}

namespace {

void put_culprit(JsonWriter& json, const Culprit& culprit) {
  json.begin_object();
  json.field("function", culprit.function);
  json.field("file", culprit.file);
  json.field("line", culprit.line > 0 ? std::optional(culprit.line) : std::nullopt);
  json.field("call", culprit.call);
  json.end_object();
}

}  // namespace

void put_finding(JsonWriter& json, const Finding& finding) {
  json.begin_object();
  json.field("rule", finding.rule);
  json.field("severity", to_word(finding.severity));
  json.field("confidence", to_word(finding.confidence));
  json.field("sentence", finding.sentence);
  json.key("culprit");
  if (finding.culprit) {
    put_culprit(json, *finding.culprit);
  } else {
    json.null();
  }
  json.field("at_least_seconds", finding.at_least_seconds);
  put_addresses(json, "tasks", finding.tasks);
  json.key("threads");
  json.begin_array();
  for (int tid : finding.threads) json.value(tid);
  json.end_array();
  put_texts(json, "evidence", finding.evidence);
  json.field("fix", finding.fix);
  json.end_object();
}

void put_gap(JsonWriter& json, const Gap& gap) {
  json.begin_object();
  json.field("reading", gap.reading);
  json.field("reason", gap.reason);
  json.field("at", gap.at);
  json.end_object();
}

void put_gaps(JsonWriter& json, const std::vector<Gap>& gaps) {
  json.key("gaps");
  json.begin_array();
  for (const Gap& gap : gaps) put_gap(json, gap);
  json.end_array();
}

void put_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key);
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void put_addresses(JsonWriter& json, std::string_view key, const std::vector<Address>& addresses) {
  json.key(key);
  json.begin_array();
  for (Address address : addresses) json.identity(address);
  json.end_array();
}

void put_index(JsonWriter& json, std::string_view key, std::int32_t index, std::size_t size) {
  json.key(key);
  if (index >= 0 && static_cast<std::size_t>(index) < size) {
    json.value(index);
  } else {
    json.null();
  }
}

bool write_json(const Report& report, const JsonOptions& options, Sink& sink) {
  JsonWriter json(sink);
  json.begin_object();
  json.field("schema_version", kJsonSchemaVersion);
  put_key(json, "tool");
  put_tool(json, options.tool_version);
  json.break_line();
  const std::int64_t realtime_ns = report.capture.realtime_ns;
  json.field("captured_at", realtime_ns == 0 ? std::nullopt : std::optional(format_instant(realtime_ns)));
  put_key(json, "process");
  put_process(json, report.process, report.capture.mode);
  put_key(json, "python");
  put_python(json, report.python);
  put_key(json, "capture");
  put_capture(json, report.capture);
  put_key(json, "asyncio");
  json.begin_object();
  json.field("imported", report.asyncio == AsyncioPresence::kImported);
  json.end_object();
  put_array(json, "threads", report.threads, [&](const Thread& thread) { put_thread(json, report, thread); });
  put_array(json, "loops", report.loops, [&](const Loop& loop) { put_loop(json, report, loop); });
  put_array(json, "tasks", report.tasks, [&](const Task& task) { put_task(json, report, task); });
  put_array(json, "primitives", report.primitives, [&](const Primitive& primitive) { put_primitive(json, primitive); });
  put_array(json, "jobs", report.jobs, [&](const Job& job) { put_job(json, report, job); });
  put_array(json, "children", report.children, [&](const ChildProcess& child) { put_child(json, child); });
  put_array(json, "descriptors", report.descriptors, [&](const Descriptor& each) { put_descriptor(json, each); });
  put_array(json, "objects", report.objects, [&](const LiveObjects& each) { put_objects(json, each); });
  put_array(json, "groups", report.groups, [&](const TaskGroup& group) { put_group(json, report, group); });
  put_array(json, "findings", report.findings, [&](const Finding& finding) { put_finding(json, finding); });
  put_array(json, "gaps", report.gaps, [&](const Gap& gap) { put_gap(json, gap); });
  put_array(json, "warnings", report.warnings, [&](const std::string& warning) { json.value(warning); });
  if (report.incident) {
    put_key(json, "incident");
    put_incident(json, *report.incident);
  }
  json.break_line();
  json.end_object();
  return json.flush() && sink.write("\n");
}

std::string render_json(const Report& report, const JsonOptions& options) {
  StringSink sink;
  write_json(report, options, sink);
  return sink.take();
}

}  // namespace asyncspy
