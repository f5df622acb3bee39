// asyncspy dump: one look at one process.
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
};

ExitCode run_dump(const DumpOptions& options);

}  // namespace asyncspy
