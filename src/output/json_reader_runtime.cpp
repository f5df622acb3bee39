// The process, its threads and loops, out of JSON.
#include <cmath>

#include "json_reader_parts.h"
#include "words.h"

namespace asyncspy {
namespace {

// Nanoseconds that give exactly these seconds again: the nearest ones, or a neighbour.
std::int64_t find_nanoseconds(double seconds) {
  constexpr double kMost = 9e9;  // of seconds whose nanoseconds an integer holds
  if (!(seconds > 0) || seconds > kMost) return 0;
  const std::int64_t nearest = std::llround(seconds * 1e9);
  for (std::int64_t distance = 0; distance < 4; ++distance) {
    for (std::int64_t candidate : {nearest + distance, nearest - distance}) {
      if (static_cast<double>(candidate) / 1e9 == seconds) return candidate;
    }
  }
  return nearest;
}

SystemCallReport read_system_call(JsonObject& object) {
  SystemCallReport call;
  call.name = object.text("name");
  call.text = object.text("text");
  object.object_if("descriptor", [&](JsonObject& descriptor) { call.descriptor = read_descriptor(descriptor); });
  call.remaining_seconds = object.number_if("remaining_seconds");
  call.object = object.address("object");
  return call;
}

NativeCall read_native_call(JsonObject& object) {
  NativeCall call;
  call.frame.function = object.text_if("function").value_or("");
  call.frame.module = object.text_if("module").value_or("");
  call.frame.offset = object.count("offset");
  call.frame.instruction = object.identity("instruction");
  call.frame.is_signal_frame = object.flag("signal_frame");
  call.runs_python = object.flag("runs_python");
  call.python_frames = object.integer<std::uint32_t>("python_frames");
  return call;
}

NativeCalls read_native(JsonObject& object) {
  NativeCalls native;
  object.objects("calls", [&](JsonObject& call) { native.calls.push_back(read_native_call(call)); });
  native.problem = object.text_if("problem").value_or("");
  native.apart = object.text_if("apart").value_or("");
  return native;
}

Timer read_timer(JsonObject& object, FrameTables& tables) {
  Timer timer;
  timer.handle = object.identity("handle");
  timer.deadline = read_time(object, "deadline");
  (void)object.number_if("remaining_seconds");  // follows from the deadline and the time of the snapshot
  timer.cancelled = object.flag("cancelled");
  if (const std::string callback = object.text("callback"); !callback.empty()) timer.callback = tables.add_name(callback);
  return timer;
}

}  // namespace

std::int32_t read_index(JsonObject& object, std::string_view name) {
  const auto index = object.integer_if<std::int32_t>(name);
  if (index && *index < 0) object.fail(name, "is negative");
  return index.value_or(-1);
}

std::optional<double> read_time(JsonObject& object, std::string_view name) {
  const auto special = object.text_if("not_finite");
  if (!special) return object.number_if(name);
  (void)object.has(name);
  if (*special == "inf") return std::numeric_limits<double>::infinity();
  if (*special == "-inf") return -std::numeric_limits<double>::infinity();
  if (*special == "nan") return std::numeric_limits<double>::quiet_NaN();
  object.fail("not_finite", "is none of inf, -inf and nan");
  return std::nullopt;
}

ProcessFacts read_process(JsonObject& object) {
  ProcessFacts process;
  process.pid = object.integer<int>("pid");
  process.namespace_pid = object.integer<int>("namespace_pid");
  process.command_line = object.texts("command_line");
  process.executable = object.text("executable");
  process.executable_deleted = object.flag("executable_deleted");
  process.name = object.text("name");
  process.state = object.letter("state");
  process.tracer_pid = object.integer_if<int>("tracer_pid").value_or(0);
  process.forked_from = object.integer_if<int>("forked_from").value_or(0);
  process.user_id = object.integer<std::uint32_t>("user_id");
  process.uptime_seconds = object.number_if("uptime_seconds").value_or(0);
  process.resident_bytes = object.count_if("resident_bytes").value_or(0);
  process.other_root = object.flag("other_root");
  return process;
}

PythonFacts read_python(JsonObject& object) {
  PythonFacts python;
  python.version = object.text("version");
  python.hex_version = object.integer<std::uint32_t>("hex_version");
  python.library = object.text("library");
  python.interpreters = object.integer<std::uint32_t>("interpreters");
  return python;
}

CaptureFacts read_capture(JsonObject& object) {
  static const std::vector kModes{CaptureMode::kStopped, CaptureMode::kRunning, CaptureMode::kCore};
  CaptureFacts capture;
  capture.mode = read_word(object, "mode", kModes);
  capture.pause_seconds = object.number("pause_seconds");
  capture.stops = object.integer<int>("stops");
  capture.bytes_copied = object.count("bytes_copied");
  capture.heap_objects = object.count_if("heap_objects");
  capture.samples = object.integer_if<int>("samples").value_or(1);
  capture.sampled_seconds = object.number_if("sampled_seconds").value_or(0);
  capture.monotonic_ns = find_nanoseconds(object.number_if("monotonic_seconds").value_or(0));
  return capture;
}

Thread read_thread(JsonObject& object, FrameTables& tables) {
  Thread thread;
  thread.tid = object.integer<int>("tid");
  thread.namespace_tid = object.integer<int>("namespace_tid");
  thread.name = object.text("name");
  thread.state = object.letter("state");
  thread.on_cpu = object.flag("on_cpu");
  thread.cpu_seconds = object.number_if("cpu_seconds").value_or(0);
  object.object_if("system_call", [&](JsonObject& call) { thread.system_call = read_system_call(call); });
  thread.has_python = object.flag("has_python");
  thread.python_thread = object.address("python_thread");
  thread.interpreter = object.integer<std::int64_t>("interpreter");
  thread.holds_gil = object.flag("holds_gil");
  thread.waits_for_gil = object.flag("waits_for_gil");
  thread.loop = read_index(object, "loop");
  thread.awaited_job = object.address("awaited_job");
  thread.awaited_task = object.address("awaited_task");
  thread.awaited_loop = read_index(object, "awaited_loop");
  thread.stack = read_stack(object, tables);
  object.object_if("native", [&](JsonObject& native) { thread.native = read_native(native); });
  thread.gaps = read_gaps(object);
  return thread;
}

Loop read_loop(JsonObject& object, FrameTables& tables) {
  static const std::vector kStates{LoopState::kUnknown, LoopState::kNotRunning, LoopState::kIdle, LoopState::kRunning, LoopState::kBlocked};
  Loop loop;
  loop.id = object.identity("id");
  loop.type = object.text("type");
  loop.thread = read_index(object, "thread");
  loop.state = read_word(object, "state", kStates);
  loop.current_task = object.address("current_task");
  loop.current_callback = object.text_if("current_callback").value_or("");
  object.object_if("late", [&](JsonObject& late) {
    loop.late.emplace();
    loop.late->seconds = late.number("seconds");
    loop.late->evidence = late.text("evidence");
  });
  loop.ready = object.count_if("ready");
  object.objects("timers", [&](JsonObject& timer) { loop.timers.push_back(read_timer(timer, tables)); });
  loop.descriptors = object.integers("descriptors");
  loop.debug = object.flag_if("debug");
  loop.gaps = read_gaps(object);
  return loop;
}

}  // namespace asyncspy
