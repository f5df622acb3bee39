#include "dump.h"

#include <unistd.h>

#include <chrono>

#include "analyse.h"
#include "capture.h"
#include "json_report.h"
#include "live_target.h"
#include "output_file.h"
#include "text_report.h"

namespace asyncspy {
namespace {

Result<Report> read_report(const DumpOptions& options) {
  if (options.pid == ::getpid()) {
    return fail(ErrorKind::kUsage, "process " + std::to_string(options.pid) + ": is asyncspy itself",
                "asyncspy ps lists the Python processes that can be read");
  }
  auto target = LiveTarget::attach(options.pid);
  if (!target) return std::unexpected(std::move(target.error()));
  CaptureOptions capture_options;
  capture_options.max_pause = std::chrono::milliseconds(options.max_pause_ms);
  capture_options.no_pause = options.no_pause;
  auto snapshot = capture(**target, capture_options);
  if (!snapshot) return std::unexpected(std::move(snapshot.error()));
  return analyse(*snapshot);
}

}  // namespace

ExitCode run_dump(const DumpOptions& options) {
  auto output = OutputFile::open(options.output);
  if (!output) return report_error(output.error());
  const auto report = read_report(options);
  if (!report) return report_error(report.error());
  if (options.format == OutputFormat::kJson) {
    write_json(*report, {.tool_version = ASYNCSPY_VERSION}, *output);
  } else {
    const TextOptions text_options{
        .colour = wants_colour(options.colour, *output), .all = options.all, .threads = options.threads};
    write_text(*report, text_options, *output);
  }
  return close_output(*output, report->findings.empty() ? ExitCode::kNothingWrong : ExitCode::kFindings);
}

}  // namespace asyncspy
