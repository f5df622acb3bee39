// The objects that a JSON report consists of, one function each. Internal to json_*.cpp.
#pragma once

#include <string_view>
#include <vector>

#include "json_writer.h"
#include "report.h"

namespace asyncspy {

void put_tool(JsonWriter& json, std::string_view version);
void put_process(JsonWriter& json, const ProcessFacts& process, CaptureMode mode);
void put_python(JsonWriter& json, const PythonFacts& python);
void put_capture(JsonWriter& json, const CaptureFacts& capture);
void put_thread(JsonWriter& json, const Report& report, const Thread& thread);
void put_loop(JsonWriter& json, const Report& report, const Loop& loop);
void put_task(JsonWriter& json, const Report& report, const Task& task);
void put_group(JsonWriter& json, const Report& report, const TaskGroup& group);
void put_primitive(JsonWriter& json, const Primitive& primitive);
void put_job(JsonWriter& json, const Report& report, const Job& job);
void put_child(JsonWriter& json, const ChildProcess& child);
void put_objects(JsonWriter& json, const LiveObjects& objects);
void put_descriptor(JsonWriter& json, const Descriptor& descriptor);
void put_deadline(JsonWriter& json, const std::optional<Deadline>& deadline);  // with its key
// With its key; null where there are none.
void put_facts(JsonWriter& json, const Report& report, const TaskFacts* facts);
void put_finding(JsonWriter& json, const Finding& finding);
void put_incident(JsonWriter& json, const Incident& incident);
// Its members but for the samples, without brackets.
void put_incident_facts(JsonWriter& json, const Incident& incident);

void put_stack(JsonWriter& json, const Report& report, const std::vector<Frame>& stack);
void put_gap(JsonWriter& json, const Gap& gap);
void put_gaps(JsonWriter& json, const std::vector<Gap>& gaps);  // with its key
void put_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts);
void put_addresses(JsonWriter& json, std::string_view key, const std::vector<Address>& addresses);

// -1 as null.
void put_descriptor_number(JsonWriter& json, std::string_view key, std::int32_t number);

// An index into an array of the report; null when it points nowhere.
void put_index(JsonWriter& json, std::string_view key, std::int32_t index, std::size_t size);

}  // namespace asyncspy
