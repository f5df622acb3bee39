// asyncspy ps: the Python processes of this machine, read without stopping any of them.
#pragma once

#include "dump.h"
#include "exit_code.h"

namespace asyncspy {

struct PsOptions {
  OutputFormat format = OutputFormat::kText;
  ColourChoice colour = ColourChoice::kAuto;
};

ExitCode run_ps(const PsOptions& options);

}  // namespace asyncspy
