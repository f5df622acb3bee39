// A report out of its JSON: the inverse of write_json(), for show and diff, on any machine and years later.
//
// The document may be anything: types and ranges are checked, the first mistake is named with its place, depth is bounded,
// and tasks are taken over one by one, so that the document is never a tree in memory as a whole. What a newer asyncspy
// wrote and this one does not know is left out and listed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report.h"
#include "result.h"

namespace asyncspy {

struct StoredReport {
  Report report;
  std::string tool_version;          // of the asyncspy that made it
  std::vector<std::string> unknown;  // "tasks[].colour"
};

[[nodiscard]] Result<StoredReport> read_json(std::string_view document);

// As a file of this format begins, and no recording or core file does.
[[nodiscard]] bool looks_like_json(std::string_view beginning);

}  // namespace asyncspy
