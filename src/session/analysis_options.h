// What a report is to tell beyond the usual. It has to be known before a target is copied, so that what it needs is copied.
#pragma once

#include <string>
#include <vector>

namespace asyncspy {

struct AnalysisOptions {
  bool locals = false;               // arguments and local variables of all frames
  bool mask = true;                  // hide values that look like secrets
  bool heap = false;                 // what lives in the heap: all that the process has written is copied
  std::vector<std::string> context;  // names of context variables whose values each task is to show; "*": all

  [[nodiscard]] bool wants_values() const { return locals || !context.empty(); }
};

}  // namespace asyncspy
