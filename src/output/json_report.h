// A report as JSON: stable, versioned and described field by field in schema/report.schema.json.
//
// Version 1 only grows: fields are added, never renamed or given another meaning. Tasks, threads and loops each stand
// on a line of their own.
#pragma once

#include <string>

#include "report.h"
#include "sink.h"

namespace asyncspy {

inline constexpr int kJsonSchemaVersion = 1;

struct JsonOptions {
  std::string tool_version;  // of asyncspy itself
};

// False when the sink took no more before the end.
bool write_json(const Report& report, const JsonOptions& options, Sink& sink);

[[nodiscard]] std::string render_json(const Report& report, const JsonOptions& options);

}  // namespace asyncspy
