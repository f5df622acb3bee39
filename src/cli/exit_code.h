// What asyncspy says with its exit code, and how an error reaches the terminal.
#pragma once

#include <string>

#include "result.h"

namespace asyncspy {

enum class ExitCode : int {
  kNothingWrong = 0,
  kFindings = 1,
  kUsage = 2,
  kNoPermission = 3,
  kNotReadable = 4,   // no such process, no Python in it, or its memory makes no sense
  kUnsupported = 5,   // a Python version that this asyncspy can not read
  kInternal = 6,      // a defect of asyncspy, or a result that can not be written
  kBrokenPipe = 141,  // 128 + SIGPIPE, as the shell shows it: the reader of our output went away
};

[[nodiscard]] ExitCode to_exit_code(ErrorKind kind);

// "asyncspy: subject: problem" and "hint: ...", escaped.
[[nodiscard]] std::string render_error(const Error& error);

// Prints it on standard error and says what to exit with.
ExitCode report_error(const Error& error);

}  // namespace asyncspy
