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

// The command's options; `options` must outlive the command line.
CLI::App* add_check(CLI::App& app, CheckOptions& options);

ExitCode run_check(const CheckOptions& options);

}  // namespace asyncspy
