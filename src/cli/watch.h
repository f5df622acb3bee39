// asyncspy watch: follows processes and keeps what it saw when one of their event loops stalls.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "exit_code.h"
#include "watch_settings.h"

namespace asyncspy {

struct WatchCommandOptions {
  std::vector<std::string> pids;
  std::string listen;
  int max_pause_ms = 250;
  WatchSettings settings;
};

// Gives the command its options; `options` must outlive the parsing.
void add_watch_options(CLI::App* command, WatchCommandOptions& options);

ExitCode run_watch_command(WatchCommandOptions& options);

}  // namespace asyncspy
