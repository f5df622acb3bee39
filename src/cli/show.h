// asyncspy show: a stored report again, in any form, on any machine.
#pragma once

#include <string>

#include "exit_code.h"
#include "view.h"

namespace asyncspy {

struct ShowOptions {
  std::string file;
  ViewOptions view;
  std::string output = "-";
};

ExitCode run_show(const ShowOptions& options);

}  // namespace asyncspy
