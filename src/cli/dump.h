// asyncspy dump: one look at one process, or several in a row.
#pragma once

#include <string>
#include <vector>

#include "exit_code.h"
#include "snapshot_source.h"
#include "view.h"

namespace asyncspy {

struct DumpOptions {
  SnapshotSource source;
  ViewOptions view;
  std::string output = "-";
  int max_pause_ms = 250;
  bool no_pause = false;
  bool locals = false;
  bool no_mask = false;
  std::vector<std::string> context;
  Confidence fail_on = Confidence::kObserved;  // findings that are less sure than this do not change the exit code
  bool native = false;
  bool heap = false;
  int samples = 1;
  double interval = 1;  // seconds
};

ExitCode run_dump(const DumpOptions& options);

}  // namespace asyncspy
