// The parts that a stored report consists of, one function each. Internal to json_reader*.cpp, and the mirror of
// json_parts.h.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "json_object.h"
#include "report.h"

namespace asyncspy {

// What frames, timers and tasks of a report refer to: functions and names, each once, local variables and facts.
class FrameTables {
 public:
  explicit FrameTables(Report& report) : report_(report) {}

  [[nodiscard]] FunctionIndex add_function(Function function);
  [[nodiscard]] std::uint32_t add_name(const std::string& name);
  [[nodiscard]] std::uint32_t add_locals(FrameLocals locals);
  [[nodiscard]] std::uint32_t add_facts(TaskFacts facts);

 private:
  Report& report_;
  std::unordered_map<std::string, FunctionIndex> functions_;
  std::unordered_map<std::string, std::uint32_t> names_;
};

[[nodiscard]] ProcessFacts read_process(JsonObject& object);
[[nodiscard]] PythonFacts read_python(JsonObject& object);
[[nodiscard]] CaptureFacts read_capture(JsonObject& object);
[[nodiscard]] Thread read_thread(JsonObject& object, FrameTables& tables);
[[nodiscard]] Loop read_loop(JsonObject& object, FrameTables& tables);
[[nodiscard]] Task read_task(JsonObject& object, FrameTables& tables);
[[nodiscard]] TaskFacts read_facts(JsonObject& object, FrameTables& tables);
[[nodiscard]] Wait read_wait(JsonObject& object);
[[nodiscard]] Primitive read_primitive(JsonObject& object);
[[nodiscard]] Job read_job(JsonObject& object);
[[nodiscard]] ChildProcess read_child(JsonObject& object);
[[nodiscard]] LiveObjects read_objects(JsonObject& object);
[[nodiscard]] Descriptor read_descriptor(JsonObject& object);
[[nodiscard]] Finding read_finding(JsonObject& object);
[[nodiscard]] Incident read_incident(JsonObject& object);

[[nodiscard]] std::vector<Frame> read_stack(JsonObject& object, FrameTables& tables);
[[nodiscard]] std::vector<Gap> read_gaps(JsonObject& object);

// An index into an array of the report, which is compared with its size at the end; null is -1.
[[nodiscard]] std::int32_t read_index(JsonObject& object, std::string_view name);

// A number that JSON can not hold stands beside its null: "inf", "-inf" or "nan".
[[nodiscard]] std::optional<double> read_time(JsonObject& object, std::string_view name);

// The words of to_word(), in the order of the values: one list serves writing and reading.
template <class E>
[[nodiscard]] E read_word(JsonObject& object, std::string_view name, const std::vector<E>& values) {
  std::vector<std::string_view> words;
  words.reserve(values.size());
  for (E value : values) words.push_back(to_word(value));
  return values[object.choice(name, words)];
}

}  // namespace asyncspy
