#include "exit_code.h"

#include <fmt/format.h>

#include <cstdio>

#include "escape.h"

namespace asyncspy {

ExitCode to_exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage: return ExitCode::kUsage;
    case ErrorKind::kPermission: return ExitCode::kNoPermission;
    case ErrorKind::kNoProcess:
    case ErrorKind::kNotPython:
    case ErrorKind::kUnreadable:
    case ErrorKind::kCorrupt:
    case ErrorKind::kTimeout: return ExitCode::kNotReadable;
    case ErrorKind::kUnsupported: return ExitCode::kUnsupported;
    case ErrorKind::kOutput:
    case ErrorKind::kInternal: break;
  }
  return ExitCode::kInternal;
}

std::string render_error(const Error& error) {
  std::string text = "asyncspy: " + escape_for_terminal(error.what) + "\n";
  if (!error.hint.empty()) text += "hint: " + escape_for_terminal(error.hint) + "\n";
  return text;
}

ExitCode report_error(const Error& error) {
  const std::string text = render_error(error);
  // Nothing can be done about a standard error that takes no text; the exit code still tells.
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
  return to_exit_code(error.kind);
}

}  // namespace asyncspy
