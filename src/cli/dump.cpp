#include "dump.h"

#include <chrono>

#include "analyse.h"
#include "json_report.h"
#include "output_file.h"
#include "text_report.h"

namespace asyncspy {
namespace {

Result<Report> read_report(const DumpOptions& options) {
  CaptureOptions capture_options;
  capture_options.max_pause = std::chrono::milliseconds(options.max_pause_ms);
  capture_options.no_pause = options.no_pause;
  auto snapshot = take_snapshot(options.source, capture_options);
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
