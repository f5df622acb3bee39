// asyncspy check: does the event loop of a process go on? For liveness probes: quick, and the process is never stopped.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "exit_code.h"

namespace asyncspy {

struct CheckOptions {
  std::string pid;
  double max_stall = 5;  // seconds
};

// Gives the command its options; `options` must outlive the parsing.
void add_check_options(CLI::App* command, CheckOptions& options);

ExitCode run_check(const CheckOptions& options);

}  // namespace asyncspy
