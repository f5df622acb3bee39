// asyncspy capture: stores one look at one process, for `asyncspy dump FILE` on any machine, at any time. Also makes
// a recording of a core, and a smaller one of a recording.
#pragma once

#include <string>

#include "exit_code.h"
#include "snapshot_source.h"

namespace asyncspy {

struct CaptureCommandOptions {
  SnapshotSource source;
  std::string output;
  bool full = false;
  bool plain = false;
  bool locals = false;
  bool native = false;
  int max_pause_ms = 250;
};

ExitCode run_capture(const CaptureCommandOptions& options);

}  // namespace asyncspy
