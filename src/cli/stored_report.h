// A report out of a file: a stored JSON report, a recording or a core file.
#pragma once

#include <string>

#include "json_reader.h"
#include "result.h"

namespace asyncspy {

// "-" is standard input, and then JSON. What of the file is not understood is said on standard error.
[[nodiscard]] Result<StoredReport> load_report(const std::string& path);

}  // namespace asyncspy
