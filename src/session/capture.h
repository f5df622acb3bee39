// Copies what a report needs out of a target: everything that is read from a target is read here.
#pragma once

#include <chrono>
#include <memory>

#include "snapshot.h"
#include "target.h"

namespace asyncspy {

struct CaptureOptions {
  std::chrono::milliseconds max_pause{250};  // bound on the time that the target stands still at a stretch
  bool no_pause = false;                     // read the running target: values may be torn
  bool full = false;                         // copy all pages that the target has written, not only those a report needs
  AnalysisOptions wanted{};                  // what the analysis of the snapshot is to tell
  bool native = false;                       // the calls of machine code of all threads, too
  bool sparse = false;                       // copy little even where copying all would be quicker: for a recording
};

// Fails when the target is not a Python process that can be read, or ends meanwhile.
[[nodiscard]] Result<Snapshot> capture(Target& target, const CaptureOptions& options);

}  // namespace asyncspy
