// asyncspy diff: two stored reports of one process, held against each other.
#pragma once

#include <string>

#include "choice.h"
#include "exit_code.h"
#include "view.h"

namespace asyncspy {

struct DiffCommandOptions {
  std::string before;
  std::string after;
  OutputFormat format = OutputFormat::kText;
  bool all = false;
  ColourChoice colour = ColourChoice::kAuto;
  std::string output = "-";
};

ExitCode run_diff(const DiffCommandOptions& options);

}  // namespace asyncspy
