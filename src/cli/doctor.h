// `asyncspy doctor PID`: what was found, where each fact comes from, and what stands in the way.
#pragma once

#include "colour_choice.h"
#include "exit_code.h"

namespace asyncspy {

struct DoctorOptions {
  int pid = 0;
  bool layout = false;  // every field with its origin
  bool no_pause = false;
  ColourChoice colour = ColourChoice::kAuto;
};

[[nodiscard]] ExitCode run_doctor(const DoctorOptions& options);

}  // namespace asyncspy
