// What changed from one report to another, on a screen or for machines (schema/diff.schema.json).
#pragma once

#include <string>

#include "compare.h"
#include "report.h"
#include "sink.h"

namespace asyncspy {

inline constexpr int kDiffSchemaVersion = 1;

struct DiffOptions {
  bool colour = false;
  bool all = false;  // cut nothing
};

// Both reports and their comparison. False when the sink took no more before the end.
bool write_diff_text(const Report& before, const Report& after, const Comparison& comparison, const DiffOptions& options, Sink& sink);
bool write_diff_json(const Report& before, const Report& after, const Comparison& comparison, const std::string& tool_version, Sink& sink);

}  // namespace asyncspy
