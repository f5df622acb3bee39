// asyncspy top: a live view of the event loops of one or several processes.
#pragma once

#include <string>
#include <vector>

#include "colour_choice.h"
#include "exit_code.h"

namespace asyncspy {

struct TopCommandOptions {
  std::vector<std::string> pids;
  std::string wait_name;
  bool subprocesses = false;
  bool no_pause = false;
  bool batch = false;
  int count = 0;
  double interval = 2;  // seconds
  int max_pause_ms = 250;
  ColourChoice colour = ColourChoice::kAuto;
};

ExitCode run_top(const TopCommandOptions& options);

}  // namespace asyncspy
