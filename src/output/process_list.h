// The Python processes of a machine as a table or as JSON (schema/ps.schema.json).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "result.h"
#include "sink.h"
#include "style.h"

namespace asyncspy {

struct ProcessSummary {
  int pid = 0;
  std::string name;  // comm
  std::vector<std::string> command_line;
  std::optional<Error> error;  // set: the process could not be read, and nothing below counts
  std::string python_version;
  bool asyncio = false;
  std::size_t loops = 0;
  std::size_t blocked_loops = 0;
  std::size_t tasks = 0;
  std::size_t findings = 0;
};

struct ProcessList {
  std::vector<ProcessSummary> processes;
  std::size_t not_inspected = 0;  // permissions hide even whether they are Python
};

bool write_process_table(const ProcessList& list, const Style& style, Sink& sink);
bool write_process_json(const ProcessList& list, const std::string& tool_version, Sink& sink);

}  // namespace asyncspy
