// asyncspy dump: one look at one process.
#pragma once

#include <string>

#include "colour_choice.h"
#include "exit_code.h"
#include "snapshot_source.h"

namespace asyncspy {

enum class OutputFormat { kText, kJson };

struct DumpOptions {
  SnapshotSource source;
  OutputFormat format = OutputFormat::kText;
  std::string output = "-";
  bool all = false;
  bool threads = false;
  ColourChoice colour = ColourChoice::kAuto;
  int max_pause_ms = 250;
  bool no_pause = false;
};

ExitCode run_dump(const DumpOptions& options);

}  // namespace asyncspy
